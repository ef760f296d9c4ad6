import type pg from 'pg';

/** Names of what nobody made by hand, and numbers that differ from database to database. */
const ofUsers = (schema: string): string =>
  `${schema} NOT IN ('pg_catalog', 'information_schema') AND ${schema} NOT LIKE 'pg\\_t%'`;
const comment = (oid: string, catalog: string): string => `coalesce(obj_description(${oid}, '${catalog}'), '')`;
/** Grants in the order of their text: their order in the catalog is that of their giving. */
const acl = (column: string): string =>
  `coalesce((SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(${column}) a), 'default')`;

/** Each gives one text column `line`. */
const looks: Readonly<Record<string, string>> = {
  schema: `SELECT concat_ws(' | ', nspname, pg_get_userbyid(nspowner), ${acl('nspacl')}, ${comment('oid', 'pg_namespace')}) AS line
    FROM pg_namespace WHERE ${ofUsers('nspname')}`,
  relation: `SELECT concat_ws(' | ', c.oid::regclass, c.relkind, pg_get_userbyid(c.relowner), c.relpersistence, ${acl('c.relacl')}, c.reloptions::text,
      c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relispartition, pg_get_expr(c.relpartbound, c.oid), c.relchecks, c.reltablespace, ${comment('c.oid', 'pg_class')},
      CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END) AS line
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${ofUsers('n.nspname')}`,
  column: `SELECT concat_ws(' | ', c.oid::regclass || '.' || a.attname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod), a.attnotnull,
      a.attidentity, a.attgenerated, a.attcollation::regcollation, a.attstorage, a.attcompression, a.attislocal, a.attinhcount, a.attstattarget, a.attoptions::text, ${acl('a.attacl')},
      coalesce(pg_get_expr(d.adbin, d.adrelid), 'no default'), coalesce(col_description(c.oid, a.attnum), '')) AS line
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE ${ofUsers('n.nspname')} AND a.attnum > 0 AND NOT a.attisdropped`,
  constraint: `SELECT concat_ws(' | ', conrelid::regclass, conname, contype, pg_get_constraintdef(oid), convalidated, condeferrable, condeferred, connoinherit, conislocal, ${comment('oid', 'pg_constraint')}) AS line
    FROM pg_constraint WHERE connamespace IN (SELECT oid FROM pg_namespace WHERE ${ofUsers('nspname')})`,
  index: `SELECT concat_ws(' | ', i.indexrelid::regclass, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready, i.indisreplident, i.indisclustered) AS line
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${ofUsers('n.nspname')}`,
  trigger: `SELECT concat_ws(' | ', tgrelid::regclass, CASE WHEN tgisinternal THEN tgfoid::regproc::text ELSE pg_get_triggerdef(oid) END, tgenabled, ${comment('oid', 'pg_trigger')}) AS line FROM pg_trigger`,
  function: `SELECT concat_ws(' | ', p.oid::regprocedure, pg_get_userbyid(p.proowner), ${acl('p.proacl')}, p.prosecdef, p.proconfig::text, p.prosrc, ${comment('p.oid', 'pg_proc')}) AS line
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${ofUsers('n.nspname')}`,
  type: `SELECT concat_ws(' | ', t.oid::regtype, t.typtype, pg_get_userbyid(t.typowner), ${acl('t.typacl')}, t.typnotnull, t.typdefault, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)) AS line
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${ofUsers('n.nspname')}`,
  rule: `SELECT concat_ws(' | ', ev_class::regclass, rulename, pg_get_ruledef(oid), ev_enabled) AS line FROM pg_rewrite WHERE oid >= 16384`,
  policy: `SELECT concat_ws(' | ', polrelid::regclass, polname, polcmd, polpermissive, polroles::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) AS line FROM pg_policy`,
  sequence: `SELECT concat_ws(' | ', seqrelid::regclass, seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle) AS line FROM pg_sequence`,
  publication: `SELECT concat_ws(' | ', pubname, pg_get_userbyid(pubowner), puballtables, pubinsert, pubupdate, pubdelete, (SELECT string_agg(t::text, ',' ORDER BY t::text) FROM pg_publication_tables t WHERE t.pubname = p.pubname)) AS line FROM pg_publication p`,
  'default acl': `SELECT concat_ws(' | ', pg_get_userbyid(defaclrole), defaclnamespace::regnamespace, defaclobjtype, ${acl('defaclacl')}) AS line FROM pg_default_acl`,
  statistics: `SELECT pg_get_statisticsobjdef(oid) AS line FROM pg_statistic_ext`,
  extension: `SELECT concat_ws(' | ', extname, extversion) AS line FROM pg_extension`,
  'event trigger': `SELECT concat_ws(' | ', evtname, evtevent, evtfoid::regproc, evtenabled) AS line FROM pg_event_trigger`,
  setting: `SELECT concat_ws(' | ', setrole::regrole, setconfig::text) AS line FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  dependence: `SELECT regexp_replace(concat_ws(' | ', pg_describe_object(classid, objid, objsubid), deptype, pg_describe_object(refclassid, refobjid, refobjsubid), count(*)), '(pg_toast_|RI_ConstraintTrigger_\\w_)\\d+', '\\1', 'g') AS line
    FROM pg_depend WHERE objid >= 16384 GROUP BY classid, objid, objsubid, deptype, refclassid, refobjid, refobjsubid`,
  lock: `SELECT concat_ws(' | ', objid, mode) AS line FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
};

/**
 * The whole catalog of a database as sorted lines of text, by names and definitions, never by OIDs: what two databases,
 * or one before and after, have in common. Dropped columns are left out, which PostgreSQL itself never removes.
 */
export async function catalogSnapshot(client: Pick<pg.Client, 'query'>): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const [kind, sql] of Object.entries(looks)) {
    const { rows } = await client.query<{ line: string }>(sql);
    // roles belong to the server: those of a test's database bear its name
    lines.push(...rows.map(({ line }) => `${kind}: ${line.replaceAll(/test_[0-9a-f]{12}/g, 'test')}`));
  }
  return lines.sort();
}

/**
 * The catalog without the places of columns: a new column is the last one, wherever the old one was. Nor with what an
 * index calls its columns inside: RENAME COLUMN leaves that as it was.
 */
export async function catalogWithoutPlaces(client: Pick<pg.Client, 'query'>): Promise<readonly string[]> {
  const lines = await catalogSnapshot(client);
  const indexes = lines.flatMap((line) => /^index: (\S+)/.exec(line)?.[1] ?? []);
  const sorted = (columns: string): string => columns.split(', ').sort().join(', ');
  return (
    lines
      // each database of a test has roles of its own
      .map((line) => line.replace(/\btest_[0-9a-f]+_/g, 'test_'))
      .map((line) => line.replace(/^(column: [^|]+) \| \d+/, '$1'))
      .map((line) =>
        line.replace(/^column: ([^ .]+)\.\S+/, (all, name: string) =>
          indexes.includes(name) ? `column: ${name}.?` : all,
        ),
      )
      .map((line) => line.replace(/(?<=^statistics: .* ON )(.*)(?= FROM)/, sorted))
      .sort()
  );
}
