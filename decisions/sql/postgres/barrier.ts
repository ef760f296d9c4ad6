import type { Statement } from '../../../contracts/plan.ts';
import { sha256 } from '../../hash.ts';
import type { Change, Lead } from './changes/change.ts';
import { literal } from './identifier.ts';
import { tableOf, type Ours } from './ours.ts';
import { createFunction, functionName, triggerName } from './trigger.ts';

/**
 * What a chunk's work rests on, for each heap: its pages, the file they are in, that our trigger is at its post with
 * the function that we gave it, and the columns. `fault` says what is expected and what is there.
 */
export function barrier(ours: Ours, oid: number, changes: readonly Change[], lead: Lead): Statement {
  const columns = [...new Set(changes.flatMap((change) => change.columns))];
  return {
    id: 'barrier',
    note: 'pages, file, trigger and columns of each heap',
    sql: `SELECT h.oid::int8::text AS heap, h.name, (pg_relation_size(h.oid) / current_setting('block_size')::int)::float8 AS pages, pg_relation_filenode(h.oid)::int8::text AS filenode,
  h.oid IS NULL OR f.fault IS NULL AS guarded, f.fault,
  jsonb_build_object('trigger', t.oid::int8 || '/' || t.xmin, 'function', p.oid::int8 || '/' || p.xmin, 'columns', c.types) AS guard
FROM (${heaps(ours, oid)}) AS h
LEFT JOIN pg_trigger t ON t.tgrelid = h.oid AND t.tgname = ${literal(triggerName(ours))}
LEFT JOIN pg_proc p ON p.oid = t.tgfoid
CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)), '{}') AS types FROM pg_attribute a
  WHERE a.attrelid = h.oid AND NOT a.attisdropped AND a.attname IN (${columns.map(literal).join(', ')})) AS c
CROSS JOIN LATERAL (SELECT nullif(concat_ws('; ',
  ${faults(ours, changes, lead, columns).join(',\n  ')}), '') AS fault) AS f
ORDER BY h.oid`,
  };
}

/** The table itself, or the leaves below it; without any leaf one row of nulls. */
function heaps(ours: Ours, oid: number): string {
  const name = (of: string): string =>
    `(SELECT format('%I.%I', n.nspname, ${of}.relname) FROM pg_namespace n WHERE n.oid = ${of}.relnamespace)`;
  const columns = `${name('root')} AS root_name`;
  if (ours.leaves === null)
    return `SELECT root.oid, root.relkind AS kind, ${name('root')} AS name, ${columns} FROM pg_class root WHERE root.oid = ${oid}`;
  // not by pg_partition_tree, which would wait for whoever locks a partition
  return `WITH RECURSIVE tree (oid) AS (SELECT ${oid}::oid UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid WHERE NOT i.inhdetachpending)
  SELECT leaf.oid, leaf.relkind AS kind, ${name('leaf')} AS name, ${columns}
  FROM pg_class root LEFT JOIN (tree JOIN pg_class leaf ON leaf.oid = tree.oid AND leaf.relkind <> 'p') ON true WHERE root.oid = ${oid}`;
}

/** SQL expressions, each a text when something is not as it has to be. */
function faults(ours: Ours, changes: readonly Change[], lead: Lead, columns: readonly string[]): readonly string[] {
  const trigger = (text: string): string => `'trigger ${triggerName(ours)} on ' || h.name || ${text}`;
  const body = createFunction(ours, changes, lead).split('$lakeshift$')[1] ?? '';
  const when = (wrong: string, text: string): string => `CASE WHEN ${wrong} THEN ${text} END`;
  return [
    when(
      `h.root_name <> format('%I.%I', ${literal(ours.schema)}, ${literal(ours.table)})`,
      `'the table: expected ' || ${literal(tableOf(ours))} || ', is called ' || h.root_name`,
    ),
    when(`h.kind <> 'r'`, `h.name || ': expected a plain table, is of kind ' || h.kind::text`),
    when('t.oid IS NULL', trigger(`' is gone'`)),
    when(
      `t.tgenabled <> 'A'`,
      trigger(
        `': expected to fire always, ' || CASE t.tgenabled WHEN 'D' THEN 'is disabled' WHEN 'R' THEN 'fires for replicated writes only' ELSE 'fires for local writes only' END`,
      ),
    ),
    when(
      `t.tgfoid IS DISTINCT FROM to_regprocedure(${literal(`${functionName(ours)}()`)}) AND t.oid IS NOT NULL`,
      trigger(`': expected to call ' || ${literal(functionName(ours))} || ', calls ' || t.tgfoid::regprocedure`),
    ),
    // 23: for each row, before, on insert and update
    when(
      `t.tgtype <> 23 OR t.oid IS NOT NULL AND (t.tgqual IS NULL) <> ${ours.othersBefore === true}`,
      trigger(`' was replaced by one that fires at other times'`),
    ),
    when(
      `encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex') <> '${sha256(body)}'`,
      `'function ' || p.oid::regprocedure || ' was replaced: expected the one of the plan'`,
    ),
    ...columns.map((column) => when(`NOT c.types ? ${literal(column)}`, literal(`column ${column} is gone`))),
  ];
}
