import { isSynced, type Change, type Lead } from './changes/change.ts';
import { literal, quote } from './identifier.ts';
import { indent, tableOf, type Ours } from './ours.ts';
import { searchPath } from './probe.ts';

/** Fires last among the table's BEFORE triggers, since PostgreSQL orders them by name. */
export const triggerName = ({ mark }: Ours): string => `zzz_lakeshift_${mark}`;
export const functionName = ({ homeSchema, mark }: Ours): string => `${quote(homeSchema)}.${quote(`sync_${mark}`)}`;

/** The setting by which a session of ours tells the trigger that it converts rows itself. */
export const actorSetting = 'lakeshift.actor';

/** Fires on every write of the application; the backfill's own writes skip it in `WHEN`, which costs next to nothing. */
export const createTrigger = (ours: Ours): string =>
  `CREATE TRIGGER ${quote(triggerName(ours))} BEFORE INSERT OR UPDATE ON ${tableOf(ours)} FOR EACH ROW ` +
  `WHEN (current_setting(${literal(actorSetting)}, true) IS DISTINCT FROM 'backfill') EXECUTE FUNCTION ${functionName(ours)}()`;

/**
 * The trigger function that keeps all changes true. `SECURITY DEFINER` and a fixed search path, so that a write of the
 * application never fails for want of a grant of ours. A conversion that fails leaves NULL instead of failing the write.
 */
export function createFunction(ours: Ours, changes: readonly Change[], lead: Lead): string {
  const parts = changes.filter(isSynced).map(({ sync }) => indent(sync(ours, lead), 2));
  return [
    `CREATE OR REPLACE FUNCTION ${functionName(ours)}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER`,
    `SET search_path = ${searchPath(ours.schema)} AS $lakeshift$`,
    'BEGIN',
    ...parts,
    '  RETURN NEW;',
    'END $lakeshift$',
  ].join('\n');
}
