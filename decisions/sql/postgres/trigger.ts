import { convertingChanges, type Change, type ConvertingChange, type TypeChange } from './change.ts';
import { literal, quote } from './identifier.ts';
import { searchPath } from './probe.ts';

/** Which shape wins when one write sets both and they disagree. */
export type Lead = 'old' | 'new';

/** Names of what we add to the target for one deployment. */
export interface Ours {
  readonly schema: string;
  readonly table: string;
  readonly homeSchema: string;
  /** Eight hex digits of the spec's hash: two deployments of one table never run at once, so they need no more. */
  readonly mark: string;
  readonly key: readonly { readonly name: string; readonly type: string }[];
}

/** Fires last among the table's BEFORE triggers, since PostgreSQL orders them by name. */
export const triggerName = ({ mark }: Ours): string => `zzz_lakeshift_${mark}`;
export const functionName = ({ homeSchema, mark }: Ours): string => `${quote(homeSchema)}.${quote(`sync_${mark}`)}`;

/** The setting by which a session of ours tells the trigger that it converts rows itself. */
export const actorSetting = 'lakeshift.actor';

/** Fires on every write of the application; the backfill's own writes skip it in `WHEN`, which costs next to nothing. */
export const createTrigger = (ours: Ours): string =>
  `CREATE TRIGGER ${quote(triggerName(ours))} BEFORE INSERT OR UPDATE ON ${quote(ours.schema)}.${quote(ours.table)} FOR EACH ROW ` +
  `WHEN (current_setting(${literal(actorSetting)}, true) IS DISTINCT FROM 'backfill') EXECUTE FUNCTION ${functionName(ours)}()`;

/**
 * The two-way trigger function. `SECURITY DEFINER` and a fixed search path, so that a write of the application never
 * fails for want of a grant of ours. A conversion that fails leaves the other shape NULL instead of failing the write.
 */
export function createFunction(ours: Ours, changes: readonly Change[], lead: Lead): string {
  const parts = convertingChanges(changes).map((change) => indent(syncOf(ours, change, lead), 2));
  return [
    `CREATE OR REPLACE FUNCTION ${functionName(ours)}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER`,
    `SET search_path = ${searchPath(ours.schema)} AS $lakeshift$`,
    'BEGIN',
    ...parts,
    '  RETURN NEW;',
    'END $lakeshift$',
  ].join('\n');
}

const syncOf = (ours: Ours, change: ConvertingChange, lead: Lead): string =>
  change.kind === 'add' ? fillNew(change) : twoWay(ours, change, lead);

/** An added column gets its value when the writer named none. */
function fillNew(change: ConvertingChange & { readonly kind: 'add' }): string {
  const fresh = quote(change.name);
  return [
    `IF NEW.${fresh} IS NULL THEN`,
    '  BEGIN',
    `    NEW.${fresh} := (SELECT ${change.up} FROM (SELECT NEW.*) AS lakeshift_row);`,
    '  EXCEPTION WHEN OTHERS THEN NULL;',
    '  END;',
    'END IF;',
  ].join('\n');
}

function twoWay(ours: Ours, change: TypeChange, lead: Lead): string {
  const fresh = quote(change.name);
  const old = quote(change.old);
  const ahead = lead === 'old' ? 'up' : 'down';
  return [
    'DECLARE',
    '  lakeshift_go text := NULL;',
    '  lakeshift_fits boolean := true;',
    'BEGIN',
    `  IF TG_OP = 'INSERT' THEN`,
    `    IF NEW.${fresh} IS NULL THEN lakeshift_go := 'up';`,
    `    ELSIF NEW.${old} IS NULL${unsetOld(change)} THEN lakeshift_go := 'down';`,
    `    ELSE lakeshift_go := '${ahead}, if they disagree';`,
    '    END IF;',
    `  ELSIF NEW.${fresh} IS DISTINCT FROM OLD.${fresh} THEN`,
    `    lakeshift_go := CASE WHEN NEW.${old} IS DISTINCT FROM OLD.${old} THEN '${ahead}, if they disagree' ELSE 'down' END;`,
    `  ELSIF NEW.${old} IS DISTINCT FROM OLD.${old} OR NEW.${fresh} IS NULL THEN lakeshift_go := 'up';`,
    '  END IF;',
    indent(bothGiven(change), 2),
    '  lakeshift_fits := true;',
    `  IF lakeshift_go = 'up' THEN`,
    indent(convert(change, 'up'), 4),
    `  ELSIF lakeshift_go = 'down' THEN`,
    indent(convert(change, 'down'), 4),
    indent(noteMisfit(ours, change), 4),
    '  END IF;',
    ...(change.oldNotNull ? [indent(keepNotNull(change), 2)] : []),
    'END;',
  ].join('\n');
}

/** An old column with a constant default is not *given* when an insert that names the new one leaves it at that. */
const unsetOld = (change: TypeChange): string =>
  change.oldDefault === null
    ? ''
    : ` OR NEW.${quote(change.old)} IS NOT DISTINCT FROM (${change.oldDefault})::${change.oldType}`;

/** A write that sets both and agrees in either direction is left as it is. */
const bothGiven = (change: TypeChange): string =>
  [
    `IF lakeshift_go LIKE '%, if they disagree' THEN`,
    '  DECLARE',
    `    lakeshift_up ${change.type};`,
    `    lakeshift_down ${change.oldType};`,
    '  BEGIN',
    indent(compute(change, 'up', 'lakeshift_up'), 4),
    indent(compute(change, 'down', 'lakeshift_down'), 4),
    `    lakeshift_go := CASE WHEN NEW.${quote(change.name)} IS NOT DISTINCT FROM lakeshift_up OR NEW.${quote(change.old)} IS NOT DISTINCT FROM lakeshift_down`,
    `      THEN NULL ELSE split_part(lakeshift_go, ',', 1) END;`,
    '  END;',
    'END IF;',
  ].join('\n');

const convert = (change: TypeChange, direction: 'up' | 'down'): string => {
  const [target, type] = direction === 'up' ? [change.name, change.type] : [change.old, change.oldType];
  return [
    `DECLARE lakeshift_value ${type}; BEGIN`,
    indent(compute(change, direction, 'lakeshift_value'), 2),
    `  NEW.${quote(target)} := lakeshift_value;`,
    'END;',
  ].join('\n');
};

/**
 * Evaluates one direction into a variable; what can't be converted gives NULL and clears `lakeshift_fits`. The
 * expression sees its input as a variable of the column's name, which is quicker than a query over the row.
 */
function compute(change: TypeChange, direction: 'up' | 'down', into: string): string {
  const [input, inputType] = direction === 'up' ? [change.old, change.oldType] : [change.name, change.type];
  return [
    `DECLARE lakeshift_in ${inputType} := NEW.${quote(input)}; lakeshift_out ${direction === 'up' ? change.type : change.oldType};`,
    'BEGIN',
    `  DECLARE ${quote(input)} ${inputType} := lakeshift_in;`,
    '  BEGIN',
    `    lakeshift_out := ${direction === 'up' ? change.up : change.down};`,
    '  EXCEPTION WHEN OTHERS THEN',
    '    lakeshift_out := NULL; lakeshift_fits := false;',
    '  END;',
    `  ${into} := lakeshift_out;`,
    'END;',
  ].join('\n');
}

/** Remembers the key of a row whose new value the old shape can't hold, or would give back as another one. */
function noteMisfit(ours: Ours, change: TypeChange): string {
  const fresh = quote(change.name);
  return [
    `DECLARE lakeshift_back ${change.type};`,
    'BEGIN',
    indent(compute(change, 'up', 'lakeshift_back'), 2),
    `  IF NOT lakeshift_fits OR lakeshift_back IS DISTINCT FROM NEW.${fresh} THEN`,
    `    INSERT INTO ${quote(ours.homeSchema)}.misfits (mark, key) VALUES (${literal(ours.mark)}, ${keyOf(ours, 'NEW.')}) ON CONFLICT DO NOTHING;`,
    `  ELSIF TG_OP = 'UPDATE' AND OLD.${quote(change.old)} IS NULL AND OLD.${fresh} IS NOT NULL THEN`,
    `    DELETE FROM ${quote(ours.homeSchema)}.misfits WHERE mark = ${literal(ours.mark)} AND key = ${keyOf(ours, 'NEW.')};`,
    '  END IF;',
    'EXCEPTION WHEN OTHERS THEN NULL; -- the application never pays for our bookkeeping; the row check counts it too',
    'END;',
  ].join('\n');
}

/** The row's key as a JSON array of texts; without a key a name of its own for each write, so that each counts. */
export const keyOf = (ours: Ours, prefix: string): string =>
  ours.key.length === 0
    ? 'jsonb_build_array(gen_random_uuid()::text)'
    : `jsonb_build_array(${ours.key.map(({ name }) => `${prefix}${quote(name)}::text`).join(', ')})`;

/** The old column's NOT NULL is lifted for what does not fit; for everything else it holds on. */
const keepNotNull = (change: TypeChange): string =>
  [
    `IF NEW.${quote(change.old)} IS NULL AND NEW.${quote(change.name)} IS NULL THEN`,
    `  RAISE not_null_violation USING MESSAGE = 'null value in a column violates its not-null constraint', COLUMN = ${literal(change.old)}, TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;`,
    'END IF;',
  ].join('\n');

const indent = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => `${' '.repeat(by)}${line}`)
    .join('\n');
