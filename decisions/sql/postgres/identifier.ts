import { utf8 } from '../../hash.ts';
import { hiddenCharacter } from './expression.ts';

/** A name as it stands in SQL, always quoted: our names are exact. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as an SQL literal. Only for names and our own words; values travel as parameters. */
export const literal = (text: string): string =>
  text.includes('\\') ? `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'` : `'${text.replaceAll("'", "''")}'`;

/** What names look like in a spec; a column is a name and, not looked at here, its type. */
export const nameForms = {
  table: /^\s*("(?:[^"]|"")+"|[A-Za-z_][\w$]*)\s*\.\s*("(?:[^"]|"")+"|[A-Za-z_][\w$]*)\s*$/,
  name: /^\s*("(?:[^"]|"")+"|[A-Za-z_][\w$]*)\s*$/,
  column: /^\s*("(?:[^"]|"")+"|[A-Za-z_][\w$]*)\s+(\S[^]*?)\s*$/,
} as const;

/** A body in dollar quotes that nothing in it can close. */
export function dollarQuoted(body: string): string {
  let tag = '$lakeshift$';
  for (let n = 1; body.includes(tag); n++) tag = `$lakeshift${n}$`;
  return `${tag}${body}${tag}`;
}

/** `schema.table`, each part plain (folded to lower case) or quoted; null when it is neither. */
export function parseQualified(text: string): { readonly schema: string; readonly table: string } | null {
  const parts = nameForms.table.exec(text);
  const [schema, table] = [nameOf(parts?.[1]), nameOf(parts?.[2])];
  return schema === null || table === null ? null : { schema, table };
}

/** A name, plain (folded to lower case) or quoted; null when it is neither. */
export const parseName = (text: string): string | null => nameOf(nameForms.name.exec(text)?.[1]);

/** `name type`, for example `amount_cents bigint`; null when it is not of that form. */
export function parseColumn(text: string): { readonly name: string; readonly type: string } | null {
  const match = nameForms.column.exec(text);
  const [name, type = ''] = [nameOf(match?.[1]), match?.[2]];
  return name !== null && isTypeName.test(type) && hiddenCharacter(type) === null ? { name, type } : null;
}

const part = '"(?:[^"]|"")+"|[A-Za-z_][\\w$]*';

/** PostgreSQL cuts longer names off, and would then know ours by another name than we do. */
const maxBytes = 63;

function nameOf(text: string | undefined): string | null {
  if (text === undefined || hiddenCharacter(text) !== null || /[\t\n\r]/.test(text)) return null;
  const name = text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase();
  return utf8(name).length > maxBytes ? null : name;
}

/** One type with its modifier and array brackets; nothing that could be more than a type, such as a default. */
const isTypeName = new RegExp(
  `^(?:double\\s+precision|(?:national\\s+)?char(?:acter)?\\s+varying|national\\s+char(?:acter)?|bit\\s+varying` +
    `|interval\\s+(?:year|month|day|hour|minute|second)(?:\\s+to\\s+(?:month|hour|minute|second))?|(?:${part})(?:\\s*\\.\\s*(?:${part}))?)` +
    String.raw`(?:\s*\(\s*\d+(?:\s*,\s*-?\d+)?\s*\))?(?:\s+with(?:out)?\s+time\s+zone)?(?:\s*\[\s*\])*$`,
  'i',
);
