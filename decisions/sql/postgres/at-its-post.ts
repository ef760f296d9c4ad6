import { isSynced, type Change } from './changes/change.ts';
import { dollarQuoted, literal } from './identifier.ts';
import { tableOf, type Ours } from './ours.ts';
import { triggerName } from './trigger.ts';

/**
 * Ends a transaction of ours with `LS001` unless the trigger is there and enabled, on every partition too: what is
 * written without it is in one shape only, and a cutover must not rest on that.
 */
export function atItsPost(ours: Ours, changes: readonly Change[]): readonly (readonly [string, string])[] {
  if (!changes.some(isSynced)) return [];
  const table = `${literal(tableOf(ours))}::regclass`;
  const triggers = `pg_trigger WHERE tgname = ${literal(triggerName(ours))} AND (tgrelid = ${table} OR tgrelid IN (SELECT relid FROM pg_partition_tree(${table})))`;
  return [
    [
      'the trigger is at its post',
      `DO ${dollarQuoted(` BEGIN IF (SELECT bool_and(tgenabled = 'A') FROM ${triggers}) IS NOT TRUE THEN RAISE 'our trigger is gone or disabled' USING ERRCODE = 'LS001'; END IF; END `)}`,
    ],
  ];
}
