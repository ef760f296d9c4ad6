import { utf8 } from '../../hash.ts';

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

/** `schema.table`, each part plain (folded to lower case) or quoted; null when it is neither. */
export function parseQualified(text: string): { readonly schema: string; readonly table: string } | null {
  const parts = nameForms.table.exec(text);
  const [schema, table] = [unquote(parts?.[1] ?? ''), unquote(parts?.[2] ?? '')];
  return isName(schema) && isName(table) ? { schema, table } : null;
}

/** A name, plain (folded to lower case) or quoted; null when it is neither. */
export function parseName(text: string): string | null {
  const match = nameForms.name.exec(text);
  const name = unquote(match?.[1] ?? '');
  return isName(name) ? name : null;
}

/** `name type`, for example `amount_cents bigint`; null when it is not of that form. */
export function parseColumn(text: string): { readonly name: string; readonly type: string } | null {
  const match = nameForms.column.exec(text);
  if (match === null) return null;
  const [name, type] = [unquote(match[1] ?? ''), match[2] ?? ''];
  return isName(name) && isTypeName(type) ? { name, type } : null;
}

/** Words, dots, quoted names, a modifier in parentheses and array brackets; nothing that could be more than a type. */
const isTypeName = (text: string): boolean =>
  /^(?:(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)(?:\s*\.\s*|\s+)?)+(?:\(\s*\d+(?:\s*,\s*-?\d+)?\s*\))?(?:\s+with(?:out)?\s+time\s+zone)?(?:\s*\[\s*\])*$/i.test(
    text,
  );

/** PostgreSQL cuts longer names off, and would then know ours by another name than we do. */
const isName = (name: string): boolean => name !== '' && !name.includes('\0') && utf8(name).length <= 63;

const unquote = (part: string): string =>
  part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase();
