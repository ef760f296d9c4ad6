import type { Plan } from '../../contracts/plan.ts';
import { keepsNotNull } from '../sql/postgres/carry/carried.ts';
import type { Change } from '../sql/postgres/changes/change.ts';
import { changesOf } from '../sql/postgres/changes/index.ts';
import { dollarQuoted, literal, quote } from '../sql/postgres/identifier.ts';

/**
 * The finished change as plain SQL for databases that the service did not change: a developer's, a test's, a new one.
 * Where the change is made already it does nothing. It rewrites and locks at once: not for a large table in service.
 */
export function finishedSql({ spec, facts, object }: Plan): string {
  const table = `${quote(object.schema)}.${quote(object.table)}`;
  return changesOf(spec, facts.columns)
    .map((change) => sameColumn(change, table) ?? statements(change, table))
    .join('\n');
}

/** A column that only changes its name or its type does so in one statement, and takes along what hangs on it. */
function sameColumn({ replaces }: Change, table: string): string | null {
  if (replaces === null || replaces.kind === 'type') return null;
  const { old, fresh, up } = replaces;
  const column = quote(old.name);
  const [missing, alter] =
    replaces.kind === 'rename'
      ? [isThere(table, old.name), `RENAME COLUMN ${column} TO ${quote(fresh.name)}`]
      : [
          isThere(table, old.name, ` AND atttypid <> ${literal(fresh.type)}::regtype`),
          `ALTER COLUMN ${column} TYPE ${fresh.type} USING ${up}`,
        ];
  return `DO ${dollarQuoted(`\nBEGIN\n  IF ${missing} THEN ALTER TABLE ${table} ${alter}; END IF;\nEND `)};\n`;
}

function statements(change: Change, table: string): string {
  return [
    'DO $lakeshift$',
    'BEGIN',
    ...added(change, table),
    ...notNull(change, table),
    ...keptNotNull(change, table),
    'END $lakeshift$;',
    ...dropped(change, table),
    '',
  ].join('\n');
}

function added({ added, dropped, conversion }: Change, table: string): string[] {
  if (added === null) return [];
  const fallback = added.default === null ? '' : ` DEFAULT ${added.default}`;
  const update =
    conversion === null ? [] : [`    UPDATE ${table} SET ${quote(conversion.column)} = ${conversion.value};`];
  return [
    `  IF NOT ${isThere(table, added.name)} THEN`,
    `    ALTER TABLE ${table} ADD COLUMN ${quote(added.name)} ${added.type}${fallback};`,
    ...(dropped === null || update.length === 0
      ? update
      : [`    IF ${isThere(table, dropped)} THEN`, ...update.map((line) => `  ${line}`), '    END IF;']),
    '  END IF;',
  ];
}

function notNull({ setsNotNull, conversion }: Change, table: string): string[] {
  if (setsNotNull === null) return [];
  return [
    `  IF NOT ${isThere(table, setsNotNull, ' AND attnotnull')} THEN`,
    ...(conversion === null
      ? []
      : [`    UPDATE ${table} SET ${quote(conversion.column)} = ${conversion.value} WHERE ${conversion.missing};`]),
    `    ALTER TABLE ${table} ALTER COLUMN ${quote(setsNotNull)} SET NOT NULL;`,
    '  END IF;',
  ];
}

/** Where every row of the old column had a value, every row of the new one has. */
const keptNotNull = ({ replaces }: Change, table: string): string[] =>
  replaces !== null && keepsNotNull(replaces)
    ? [`  ALTER TABLE ${table} ALTER COLUMN ${quote(replaces.fresh.name)} SET NOT NULL;`]
    : [];

const dropped = ({ dropped }: Change, table: string): string[] =>
  dropped === null ? [] : [`ALTER TABLE ${table} DROP COLUMN IF EXISTS ${quote(dropped)};`];

const isThere = (table: string, column: string, more = ''): string =>
  `EXISTS (SELECT FROM pg_attribute WHERE attrelid = ${literal(table)}::regclass AND attname = ${literal(column)} AND NOT attisdropped${more})`;
