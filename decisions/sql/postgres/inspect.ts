import type { Statement } from '../../../contracts/plan.ts';
import type { TableSpec } from '../../../contracts/spec.ts';
import { carryLooks } from './carry/looks.ts';
import { literal, parseQualified, quote } from './identifier.ts';
import { searchPath } from './ours.ts';

/** Looks at a table before there is a plan; each statement only reads the catalog. */
export function inspect(spec: TableSpec, homeSchema: string): readonly Statement[] {
  const name = parseQualified(spec.table);
  if (name === null) return [];
  return catalogLooks(spec, name, homeSchema);
}

/** After `inspect`: what looks at other things sees what our role sees, and finds it where our role would. */
export const ourselves: readonly Statement[] = [
  { id: 'ownPath', note: "our role's path", sql: 'SET LOCAL search_path TO DEFAULT' },
  { id: 'ownRole', note: 'our role', sql: 'RESET ROLE' },
];

function catalogLooks(
  spec: TableSpec,
  name: { readonly schema: string; readonly table: string },
  homeSchema: string,
): readonly Statement[] {
  // not to_regclass, which fails where our role may not use the schema
  const oid = `(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ${literal(name.schema)} AND c.relname = ${literal(name.table)})`;
  const look = (id: string, note: string, sql: string): Statement => ({
    id,
    note,
    sql: sql.replaceAll('TABLE_OID', () => oid),
  });
  const carried = carryLooks(spec).map(({ id, note, sql }) => look(id, note, sql));
  return [...roleLooks(look, homeSchema), ...tableLooks(look, name), ...onPath(name.schema, carried)];
}

/** Definitions are read again, and in views the table has to be found by its bare name then. */
const onPath = (schema: string, looks: readonly Statement[]): readonly Statement[] =>
  looks.length === 0
    ? []
    : [
        {
          id: 'carryPath',
          note: 'definitions are printed as they are read again',
          sql: `SET LOCAL search_path = ${searchPath(schema)}`,
        },
        ...looks,
        { id: 'carryPathEnd', note: 'as before', sql: 'SET LOCAL search_path = pg_catalog' },
      ];

type MakeLook = (id: string, note: string, sql: string) => Statement;

/** What our role is to the table; from the last of them on, looks are its owner's. */
function roleLooks(look: MakeLook, homeSchema: string): readonly Statement[] {
  return [
    look(
      'path',
      'types are printed with their schema: they are used under other paths',
      'SET LOCAL search_path = pg_catalog',
    ),
    look('rights', 'what our role may do', rightsSql(literal(homeSchema))),
    look(
      'holder',
      'who holds the table now',
      `SELECT deployment FROM ${quote(homeSchema)}.claims WHERE table_oid = TABLE_OID AND whole_table ORDER BY claimed_at LIMIT 1`,
    ),
    look(
      'role',
      'from here on as the owner, if that is how our role gets its rights',
      `SELECT set_config('role', w.acts_as, true) FROM (${rightsSql(literal(homeSchema))}) AS w WHERE w.acts_as IS NOT NULL`,
    ),
  ];
}

function tableLooks(look: MakeLook, name: { readonly schema: string; readonly table: string }): readonly Statement[] {
  return [
    look('table', 'kind, owner, size and options', tableSql(literal(name.schema))),
    look('partitions', 'leaves of a partitioned table', partitionsSql),
    look('columns', 'columns in order', columnsSql),
    look('key', 'primary key, else a unique index over not-null columns', keySql),
    look(
      'triggers',
      "others' triggers",
      "SELECT tgname AS name, (tgtype & 3) = 3 AS before_row, tgenabled <> 'D' AS enabled FROM pg_trigger WHERE tgrelid = TABLE_OID AND NOT tgisinternal ORDER BY tgname",
    ),
    look('foreignKeys', 'foreign keys from and to the table', foreignKeysSql),
    look('views', 'views that read it, and which columns', viewsSql),
    look(
      'publications',
      'publications that send it',
      `SELECT pubname::text AS name FROM pg_publication_tables WHERE schemaname = ${literal(name.schema)} AND tablename = ${literal(name.table)} ORDER BY 1`,
    ),
    look('shape', 'what kind of table it is', shapeSql),
    look(
      'rules',
      'rules on updates',
      "SELECT rulename::text AS name FROM pg_rewrite WHERE ev_class = TABLE_OID AND ev_type = '2' AND ev_enabled <> 'D' ORDER BY 1",
    ),
    look(
      'nearby',
      'other tables, for a name that was misspelt',
      "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE TABLE_OID IS NULL AND c.relkind IN ('r','p') AND n.nspname NOT IN ('pg_catalog','information_schema') ORDER BY 1 LIMIT 2000",
    ),
  ];
}

/** SQL: relation `l` is the table `c`, or a leaf of it. */
const leafOrSelf = `l.oid = c.oid AND c.relkind <> 'p' OR c.relkind = 'p' AND l.oid IN (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf)`;

const partitionsSql = `SELECT l.oid::regclass::text AS name, l.oid::int8::float8 AS oid, l.relkind::text AS kind, (pg_relation_size(l.oid) / current_setting('block_size')::int)::float8 AS pages
FROM pg_partition_tree(TABLE_OID) t JOIN pg_class l ON l.oid = t.relid WHERE t.isleaf AND l.oid <> TABLE_OID ORDER BY l.oid LIMIT 1001`;

/** Sizes and counts are those of the table itself, or the sums over its leaves. */
const tableSql = (
  schema: string,
): string => `SELECT current_setting('server_version_num')::int AS server_version, c.oid::int8::text AS oid, c.relkind::text AS kind,
  pg_get_userbyid(c.relowner)::text AS owner, h.rows, h.bytes, h.pages, h.fillfactor,
  row_security_active(c.oid) AS row_security,
  (SELECT count(*)::int FROM pg_index i WHERE i.indrelid = c.oid) AS indexes, ${schema} AS schema
FROM pg_class c CROSS JOIN LATERAL (SELECT coalesce(sum(greatest(l.reltuples, 0)) FILTER (WHERE l.reltuples >= 0), -1)::float8 AS rows,
    coalesce(sum(pg_total_relation_size(l.oid)), 0)::float8 AS bytes, coalesce(sum(pg_relation_size(l.oid) / current_setting('block_size')::int), 0)::float8 AS pages,
    min(coalesce((SELECT option_value::int FROM pg_options_to_table(l.reloptions) WHERE option_name = 'fillfactor'), 100)) AS fillfactor
  FROM pg_class l WHERE ${leafOrSelf}) AS h
WHERE c.oid = TABLE_OID`;

/** `updates_fail`: a publication sends updates, and nothing tells subscribers which row was updated. */
const shapeSql = `SELECT c.relpersistence::text AS persistence, c.relispartition AS partition, c.relkind <> 'p' AND c.relhassubclass AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) AS has_children,
  EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid) AS has_parents, c.relnatts::int AS columns_ever,
  EXISTS (SELECT FROM pg_publication p JOIN pg_publication_tables t ON t.pubname = p.pubname WHERE t.schemaname = n.nspname AND t.tablename = c.relname AND p.pubupdate)
    AND c.relpersistence = 'p' AND CASE c.relreplident WHEN 'f' THEN false WHEN 'n' THEN true WHEN 'd' THEN NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary)
      ELSE NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisreplident) END AS updates_fail
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = TABLE_OID`;

const columnsSql = `SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null, a.atthasdef AS has_default,
  CASE WHEN a.attgenerated <> '' THEN 'stored' WHEN a.attidentity <> '' THEN 'identity' ELSE 'no' END AS generated,
  CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS default_sql,
  CASE WHEN a.attcollation <> t.typcollation THEN (SELECT format('%I.%I', n.nspname, c.collname) FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = a.attcollation) END AS collation
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = TABLE_OID AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

const keySql = `SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM (SELECT i.indrelid, i.indkey, i.indnkeyatts FROM pg_index i
      WHERE i.indrelid = TABLE_OID AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
        AND NOT EXISTS (SELECT FROM unnest(i.indkey) k JOIN pg_attribute x ON x.attrelid = i.indrelid AND x.attnum = k WHERE NOT x.attnotnull)
      ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1) i
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, position)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE k.position <= i.indnkeyatts ORDER BY k.position`;

const foreignKeysSql = `SELECT conname::text AS name, (confrelid = TABLE_OID) AS incoming,
  (CASE WHEN confrelid = TABLE_OID THEN conrelid ELSE confrelid END)::regclass::text AS other_table,
  to_jsonb(ARRAY(SELECT a.attname::text FROM unnest(CASE WHEN confrelid = TABLE_OID THEN confkey ELSE conkey END) k
        JOIN pg_attribute a ON a.attrelid = TABLE_OID AND a.attnum = k)) AS columns
FROM pg_constraint WHERE contype = 'f' AND (conrelid = TABLE_OID OR confrelid = TABLE_OID) ORDER BY conname`;

const viewsSql = `SELECT r.ev_class::regclass::text AS name, to_jsonb(array_agg(DISTINCT a.attname::text)) AS columns
FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = TABLE_OID AND d.refobjsubid > 0 AND r.ev_class <> d.refobjid
GROUP BY r.ev_class ORDER BY 1`;

const maySetRole = `pg_has_role(session_user, relowner, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)`;

/** `acts_as`: the owner, where our role is its member without inheriting its rights. */
const rightsSql = (
  home: string,
): string => `SELECT r.*, coalesce((SELECT CASE WHEN r.acts_as IS NULL THEN has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') ELSE pg_has_role(nspowner, 'USAGE') END
    FROM pg_namespace WHERE nspname = ${home}), has_database_privilege(current_database(), 'CREATE')) AS schema_ready,
  has_database_privilege(coalesce(r.acts_as, current_user), current_database(), 'TEMPORARY') AS temporary
FROM (SELECT current_user::text AS role, current_database()::text AS database, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
    coalesce((SELECT pg_has_role(relowner, 'USAGE') OR ${maySetRole} FROM pg_class WHERE oid = TABLE_OID), false) AS owns_table,
    (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TABLE_OID AND NOT pg_has_role(relowner, 'USAGE') AND ${maySetRole}) AS acts_as) AS r`;
