import type { TablePlan } from '../../contracts/plan.ts';
import { carriedBy } from '../sql/postgres/carry/carried.ts';
import type { Change } from '../sql/postgres/changes/change.ts';
import { changesOf } from '../sql/postgres/changes/index.ts';
import { dollarQuoted, literal, quote } from '../sql/postgres/identifier.ts';
import { markOf, searchPath, tableOf, type Ours } from '../sql/postgres/ours.ts';
import { ifSo, isThere, replaced } from './finished-columns.ts';

/**
 * The finished change as plain SQL for databases that the service did not change: a developer's, a test's, a new one.
 * Where the change is made already it does nothing. It rewrites and locks at once: not for a large table in service.
 *
 * One statement, so that it is all or nothing in whatever tool runs it; names are looked up in it as the service does.
 */
export function finishedSql({ spec, facts, object }: TablePlan): string {
  const ours: Ours = {
    schema: object.schema,
    table: object.table,
    homeSchema: object.homeSchema,
    mark: markOf(spec),
    key: facts.key,
    leaves: null,
  };
  const changes = changesOf(spec, facts.columns);
  const table = tableOf(ours);
  // what is computed of old columns comes before they change their names and types, or go
  const body = [
    ...changes.flatMap((change) => added(change, table)),
    ...changes.flatMap((change) => notNull(change, table)),
    ...carriedBy(ours, facts, changes).flatMap((carried) => replaced(ours, carried, facts)),
    ...changes.filter(({ replaces }) => replaces === null).flatMap((change) => dropped(change, table)),
  ];
  return `DO ${dollarQuoted(
    [
      '',
      '#variable_conflict use_column',
      `DECLARE lakeshift_path text := current_setting('search_path');`,
      'BEGIN',
      `  PERFORM set_config('search_path', ${literal(searchPath(object.schema))}, true);`,
      ...body.map((line) => `  ${line}`),
      `  PERFORM set_config('search_path', lakeshift_path, true);`,
      'END ',
    ].join('\n'),
  )};\n`;
}

/** A column of another name; what it is computed of may be gone where the change is half made by hand. */
function added({ added, dropped, conversion, replaces }: Change, table: string): readonly string[] {
  const inPlace = replaces !== null && replaces.kind !== 'type';
  if (added === null || inPlace) return [];
  const fallback = added.default === null ? '' : ` DEFAULT ${added.default}`;
  const update = conversion === null ? [] : [`UPDATE ${table} SET ${quote(conversion.column)} = ${conversion.value};`];
  return ifSo(`NOT ${isThere(table, added.name)}`, [
    `ALTER TABLE ${table} ADD COLUMN ${quote(added.name)} ${added.type}${fallback};`,
    ...(dropped === null || update.length === 0 ? update : ifSo(isThere(table, dropped), update)),
  ]);
}

function notNull({ setsNotNull, conversion }: Change, table: string): readonly string[] {
  if (setsNotNull === null) return [];
  return ifSo(`NOT ${isThere(table, setsNotNull, ' AND attnotnull')}`, [
    ...(conversion === null
      ? []
      : [`UPDATE ${table} SET ${quote(conversion.column)} = ${conversion.value} WHERE ${conversion.missing};`]),
    `ALTER TABLE ${table} ALTER COLUMN ${quote(setsNotNull)} SET NOT NULL;`,
  ]);
}

const dropped = ({ dropped }: Change, table: string): readonly string[] =>
  dropped === null ? [] : [`ALTER TABLE ${table} DROP COLUMN IF EXISTS ${quote(dropped)};`];
