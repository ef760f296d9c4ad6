import type { Plan } from '../../contracts/plan.ts';
import type { Change } from '../sql/postgres/changes/change.ts';
import { changesOf } from '../sql/postgres/changes/index.ts';
import { literal, quote } from '../sql/postgres/identifier.ts';

/**
 * The finished change as plain SQL for databases that the service did not change: a developer's, a test's, a new one.
 * Where the change is made already it does nothing. It rewrites and locks at once: not for a large table in service.
 */
export function finishedSql({ spec, facts, object }: Plan): string {
  const table = `${quote(object.schema)}.${quote(object.table)}`;
  return changesOf(spec.changes, facts.columns)
    .map((change) => statements(change, table))
    .join('\n');
}

function statements(change: Change, table: string): string {
  return [
    'DO $lakeshift$',
    'BEGIN',
    ...added(change, table),
    ...notNull(change, table),
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

const dropped = ({ dropped }: Change, table: string): string[] =>
  dropped === null ? [] : [`ALTER TABLE ${table} DROP COLUMN IF EXISTS ${quote(dropped)};`];

const isThere = (table: string, column: string, more = ''): string =>
  `EXISTS (SELECT FROM pg_attribute WHERE attrelid = ${literal(table)}::regclass AND attname = ${literal(column)} AND NOT attisdropped${more})`;
