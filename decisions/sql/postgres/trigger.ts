import { isSynced, type Change, type Lead } from './changes/change.ts';
import { dollarQuoted, quote } from './identifier.ts';
import { indent, searchPath, tableOf, writesOfOurs, type Ours } from './ours.ts';

/** Fires last among the table's BEFORE triggers, since PostgreSQL orders them by name. */
export const triggerName = ({ mark }: Ours): string => `zzz_lakeshift_${mark}`;
export const functionName = ({ homeSchema, mark }: Ours): string => `${quote(homeSchema)}.${quote(`sync_${mark}`)}`;

/**
 * Fires on every write of the application. The backfill's own writes skip it in `WHEN`, which costs next to nothing;
 * not where others' triggers may change what the backfill has just converted.
 */
export const createTrigger = (ours: Ours): string =>
  `CREATE TRIGGER ${quote(triggerName(ours))} BEFORE INSERT OR UPDATE ON ${tableOf(ours)} FOR EACH ROW ` +
  `${ours.othersBefore === true ? '' : `WHEN (NOT ${writesOfOurs(ours, 0)}) `}EXECUTE FUNCTION ${functionName(ours)}()`;

/**
 * The trigger function that keeps all changes true. `SECURITY DEFINER` and a fixed search path, so that a write of the
 * application never fails for want of a grant of ours. A conversion that fails leaves NULL instead of failing the write.
 */
export function createFunction(ours: Ours, changes: readonly Change[], lead: Lead): string {
  const parts = changes.filter(isSynced).map(({ sync }) => indent(sync(ours, lead), 2));
  return [
    `CREATE OR REPLACE FUNCTION ${functionName(ours)}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER`,
    // in the expressions a name means the column, also where PL/pgSQL has a variable of that name
    `SET search_path = ${searchPath(ours.schema)} AS ${dollarQuoted(['', '#variable_conflict use_column', 'BEGIN', ...parts, '  RETURN NEW;', 'END '].join('\n'))}`,
  ].join('\n');
}
