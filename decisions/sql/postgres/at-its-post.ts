import { isSynced, type Change } from './changes/change.ts';
import { dollarQuoted, literal } from './identifier.ts';
import { tableOf, type Ours } from './ours.ts';
import { triggerName } from './trigger.ts';

type NamedSql = readonly [note: string, sql: string];

/**
 * Ends a transaction of ours with `LS001` unless the trigger is there and enabled, on every partition too: what is
 * written without it is in one shape only, and a cutover must not rest on that.
 */
export function triggerAtItsPost(ours: Ours, changes: readonly Change[]): readonly NamedSql[] {
  if (!changes.some(isSynced)) return [];
  const table = regclass(ours);
  const triggers = `pg_trigger WHERE tgname = ${literal(triggerName(ours))} AND (tgrelid = ${table} OR tgrelid IN (SELECT relid FROM pg_partition_tree(${table})))`;
  return [['the trigger is at its post', unless(`(SELECT bool_and(tgenabled = 'A') FROM ${triggers})`)]];
}

/** The same unless the new columns are there: the old ones would be dropped with the only values that are left. */
export function columnsAtTheirPlace(ours: Ours, changes: readonly Change[]): readonly NamedSql[] {
  const names = changes.flatMap(({ added }) => (added === null ? [] : [literal(added.name)]));
  if (names.length === 0) return [];
  const found = `(SELECT count(*) = ${names.length} FROM pg_attribute WHERE attrelid = ${regclass(ours)} AND attname IN (${names.join(', ')}) AND NOT attisdropped)`;
  return [['the new columns are there', unless(found)]];
}

const regclass = (ours: Ours): string => `${literal(tableOf(ours))}::regclass`;
const unless = (condition: string): string =>
  `DO ${dollarQuoted(` BEGIN IF ${condition} IS NOT TRUE THEN RAISE 'somebody else has changed what we rely on' USING ERRCODE = 'LS001'; END IF; END `)}`;
