import type { Statement } from '../../../contracts/plan.ts';
import type { TableSpec } from '../../../contracts/spec.ts';
import { droppedOf } from './alterations.ts';
import type { Change } from './changes/change.ts';
import { literal } from './identifier.ts';
import { inspect, ourselves } from './inspect.ts';
import { misfitsOf } from './misfits.ts';
import type { Ours } from './ours.ts';

/**
 * What the preflight looks at right before anything is touched: once more all that the plan rests on, and what changes
 * from hour to hour. Judged by `judge-preflight.ts`.
 */
export function preflightLooks(spec: TableSpec, ours: Ours, oid: number): readonly Statement[] {
  return [
    ...inspect(spec, ours.homeSchema).filter(({ id }) => id !== 'nearby' && id !== 'holder'),
    ...ourselves,
    {
      id: 'longTransactions',
      note: 'transactions over 30 s old hold back pruning, and DDL if they have read the table',
      sql: `SELECT coalesce(nullif(substring(application_name from '^[[:alnum:] _.-]*'), ''), backend_type) AS application, extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds,
  EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation = ${oid} AND l.granted) AS holds_table
FROM pg_stat_activity a WHERE xact_start < clock_timestamp() - interval '30 seconds' AND pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL) ORDER BY xact_start LIMIT 20`,
    },
    {
      id: 'slots',
      note: 'replication slots that hold back the horizon of pruning',
      sql: `SELECT slot_name::text AS name, active FROM pg_replication_slots WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL ORDER BY 1`,
    },
    {
      id: 'statements',
      note: 'applications that would notice a new column; needs pg_stat_statements',
      sql: `SELECT count(*) FILTER (WHERE query ~* ${literal(word(ours.table))} AND query ~* ${literal(`(select|returning)\\s+("?\\w+"?\\.)?\\*`)})::int AS select_star,
  count(*) FILTER (WHERE query ~* ${literal(`insert\\s+into\\s+[^(]*${word(ours.table)}"?\\s+(values|select)`)} OR query ~* ${literal(`copy\\s+[^(]*${word(ours.table)}"?\\s+from`)})::int AS positional
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    },
    {
      id: 'isolation',
      note: 'whether transactions with a snapshot of their own are the rule here',
      sql: `SELECT (SELECT count(*) FROM pg_db_role_setting, unnest(setconfig) AS s WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND s ~* '^default_transaction_isolation=.*(repeatable|serializable)')::int + (SELECT count(*) FROM pg_settings WHERE name = 'default_transaction_isolation' AND reset_val <> 'read committed')::int AS strict`,
    },
    {
      id: 'rowTypes',
      note: "columns and functions that use the table's row type",
      sql: `SELECT count(*)::int AS users FROM pg_class c WHERE c.oid = ${oid} AND (EXISTS (SELECT FROM pg_attribute a WHERE a.atttypid = c.reltype AND NOT a.attisdropped)
  OR EXISTS (SELECT FROM pg_proc p WHERE p.prorettype = c.reltype OR c.reltype = ANY (p.proargtypes)))`,
    },
  ];
}

/** Who still uses the old columns: looked at before they are dropped. Judged by `judge-evidence.ts`. */
export function evidenceLooks(
  ours: Ours,
  oid: number,
  changes: readonly Change[],
  carried: readonly number[] = [],
): readonly Statement[] {
  const old = droppedOf(changes);
  if (old.length === 0) return [];
  const oids = `ARRAY[${carried.join(', ')}]::oid[]`;
  const names = `ARRAY[${old.map(literal).join(', ')}]::name[]`;
  return [
    {
      id: 'dependents',
      note: 'views, constraints, indexes and other objects that a drop would break or take along',
      // what PostgreSQL drops along with the column depends on it automatically, some of it on others besides
      sql: `SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS name, coalesce(max(r.ev_class::regclass::text), '') AS view, bool_and(d.deptype = 'n') OR bool_or(d.classid = 'pg_attrdef'::regclass) AS blocks
FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ${oid} AND a.attname = ANY (${names})
  AND NOT EXISTS (SELECT FROM pg_attrdef own WHERE d.classid = 'pg_attrdef'::regclass AND own.oid = d.objid AND own.adnum = a.attnum)
  AND NOT (d.objid = ANY (${oids}) OR coalesce(r.ev_class = ANY (${oids}), false)) AND pg_describe_object(d.classid, d.objid, d.objsubid) NOT LIKE ${literal(`%lakeshift\\_${ours.mark}\\_%`)}
GROUP BY 1 ORDER BY 1`,
    },
    {
      id: 'readers',
      note: 'statements that name an old column, since the statistics began; needs pg_stat_statements',
      sql: `SELECT count(*)::int AS statements, coalesce(sum(calls), 0)::float8 AS calls FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query ~* ${literal(word(ours.table))} AND (${old
        .map((name) => `query ~* ${literal(word(name))}`)
        .join(' OR ')})`,
    },
    wayBack(ours),
  ];
}

/** How many writes the old shape could not hold so far, of rows that are still there. */
export const wayBack = (ours: Ours): Statement => ({
  id: 'wayBack',
  note: 'rows that going back would lose',
  sql: `SELECT count(*)::float8 AS misfits FROM ${misfitsOf(ours, 'true')}`,
  ...(ours.actsAs === undefined ? {} : { as: ours.actsAs }),
});

/** A name as a whole word in a POSIX expression; what can't begin or end a word there needs no boundary. */
const word = (name: string): string => {
  const plain = name.replace(/[!-/:-@[-^`{-~]/g, '\\$&');
  return `${/^\w/.test(name) ? '\\m' : ''}${plain}${/\w$/.test(name) ? '\\M' : ''}`;
};
