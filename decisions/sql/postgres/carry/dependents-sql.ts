/*
 * One query a kind over `deps` (class, object, the replaced column `old`, how many replaced `columns` it hangs on), all
 * with the same result: position, column, kind, oid, name, description, definition, original, table, unique, computed,
 * settings, tablespace, deferrable, refused.
 */

/** What hangs on two replaced columns at once is left to people. */
const oneColumn = (kind: string): string => `CASE WHEN d.columns > 1 THEN 'other' ELSE ${kind} END`;
const settings = (...each: readonly string[]): string => `to_jsonb(array_remove(ARRAY[${each.join(', ')}], NULL))`;
const commentOn = (what: string, name: string, oid: string, catalog: string): string =>
  `CASE WHEN obj_description(${oid}, '${catalog}') IS NOT NULL THEN format('COMMENT ON ${what} IS %L', ${name}, obj_description(${oid}, '${catalog}')) END`;

/** What follows `USING` in an index's definition. */
const tail = `substr(pg_get_indexdef(x.indexrelid), length(format('CREATE %sINDEX %I ON %I.%I USING ', CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END, ic.relname, tn.nspname, tc.relname)) + 1)`;
const tablespace = `(SELECT spcname::text FROM pg_tablespace s WHERE s.oid = ic.reltablespace)`;
const indexSettings = `CASE WHEN x.indisclustered THEN format('ALTER TABLE %I.%I CLUSTER ON %I', tn.nspname, tc.relname, ic.relname) END,
    CASE WHEN x.indisreplident THEN format('ALTER TABLE %I.%I REPLICA IDENTITY USING INDEX %I', tn.nspname, tc.relname, ic.relname) END,
    (SELECT string_agg(format('ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS %s', tn.nspname, ic.relname, a.attnum, a.attstattarget), '; ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = ic.oid AND coalesce(a.attstattarget, -1) >= 0)`;

/** Indexes without a constraint of their own. */
export const indexesSql = `SELECT 1 AS position, d.old AS "column", ${oneColumn(`CASE WHEN x.indisvalid AND ic.relkind = 'i' AND tc.relkind = 'r' THEN 'index' ELSE 'other' END`)} AS kind, ic.oid::int8::text AS oid, ic.relname::text AS name,
  pg_describe_object(d.classid, d.objid, 0) AS description, NULL AS definition, ${tail} AS original, NULL AS "table", x.indisunique AS "unique", (x.indexprs IS NOT NULL OR x.indpred IS NOT NULL) AS computed,
  ${settings(commentOn('INDEX %I.%I', 'tn.nspname, ic.relname', 'ic.oid', 'pg_class'), indexSettings)} AS settings, ${tablespace} AS tablespace, '' AS deferrable, NULL AS refused
FROM deps d JOIN pg_index x ON d.classid = 'pg_class'::regclass AND x.indexrelid = d.objid JOIN pg_class ic ON ic.oid = x.indexrelid JOIN pg_class tc ON tc.oid = x.indrelid JOIN pg_namespace tn ON tn.oid = tc.relnamespace`;

const names = (keys: string, relation: string, renamed: boolean): string =>
  `(SELECT string_agg(quote_ident(${renamed ? `CASE WHEN a.attrelid = TABLE_OID THEN coalesce((SELECT r.fresh FROM replaced r WHERE r.old = a.attname), a.attname) ELSE a.attname END` : 'a.attname'}), ', ' ORDER BY k.place)
      FROM unnest(${keys}) WITH ORDINALITY AS k(num, place) JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.num)`;
const foreignKey = (renamed: boolean): string =>
  `format('FOREIGN KEY (%s) REFERENCES %s (%s)%s', ${names('c.conkey', 'c.conrelid', renamed)}, ${qualified('c.confrelid')}, ${names('c.confkey', 'c.confrelid', renamed)},
    regexp_replace(substr(pg_get_constraintdef(c.oid), length(format('FOREIGN KEY (%s) REFERENCES %s(%s)', ${names('c.conkey', 'c.conrelid', false)}, c.confrelid::regclass, ${names('c.confkey', 'c.confrelid', false)})) + 1), ' NOT VALID$', ''))`;
function qualified(oid: string): string {
  return `(SELECT format('%I.%I', qn.nspname, qc.relname) FROM pg_class qc JOIN pg_namespace qn ON qn.oid = qc.relnamespace WHERE qc.oid = ${oid})`;
}
const from = `CASE WHEN c.contype = 'f' AND c.conrelid <> TABLE_OID OR c.contype = 'f' AND NOT d.attnums && c.conkey THEN 'reference' ELSE 'foreign key' END`;

/** What of a constraint can't be said by its columns: more than one side of it, columns of an action, periods, partitions. */
const oddConstraint = `c.contype = 'f' AND (NOT c.convalidated OR c.conparentid <> 0 OR (d.attnums && c.confkey AND d.attnums && c.conkey AND c.conrelid = c.confrelid) OR to_jsonb(c) ->> 'confdelsetcols' IS NOT NULL)
    OR to_jsonb(c) ->> 'conperiod' = 'true' OR to_jsonb(c) ->> 'conenforced' = 'false' OR c.coninhcount > 0 OR c.contype IN ('p', 'u', 'f') AND tc.relkind <> 'r' OR c.contype IN ('x', 't')`;

/** Constraints of the table, and foreign keys of others that point at it. */
export const constraintsSql = `SELECT CASE c.contype WHEN 'p' THEN 2 WHEN 'u' THEN 3 WHEN 'c' THEN 4 WHEN 'f' THEN 5 ELSE 6 END, d.old, ${oneColumn(`CASE WHEN ${oddConstraint} THEN 'other' ELSE CASE c.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'c' THEN 'check' WHEN 'n' THEN 'not null' ELSE ${from} END END`)}, c.oid::int8::text, c.conname::text,
  pg_describe_object(d.classid, d.objid, 0), CASE WHEN c.contype = 'f' THEN ${foreignKey(true)} END,
  CASE c.contype WHEN 'f' THEN ${foreignKey(false)} WHEN 'c' THEN pg_get_constraintdef(c.oid) WHEN 'p' THEN ${tail} WHEN 'u' THEN ${tail} END, CASE WHEN c.contype = 'f' THEN ${qualified(`CASE WHEN ${from} = 'reference' THEN c.conrelid ELSE c.confrelid END`)} END,
  c.contype IN ('p', 'u'), c.contype = 'c', ${settings(commentOn('CONSTRAINT %I ON %s', `c.conname, ${qualified('c.conrelid')}`, 'c.oid', 'pg_constraint'), indexSettings)},
  ${tablespace}, CASE WHEN c.condeferrable AND c.contype IN ('p', 'u') THEN ' DEFERRABLE' || CASE WHEN c.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END ELSE '' END,
  CASE WHEN NOT pg_has_role(tc.relowner, 'USAGE') THEN '42501' END
FROM (SELECT e.*, ARRAY(SELECT attnum FROM columns) AS attnums FROM deps e) AS d JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid JOIN pg_class tc ON tc.oid = c.conrelid JOIN pg_namespace tn ON tn.oid = tc.relnamespace
LEFT JOIN pg_index x ON x.indexrelid = c.conindid AND c.contype IN ('p', 'u') LEFT JOIN pg_class ic ON ic.oid = x.indexrelid`;

/** Views over the column, and views over those, each after all that it reads. */
export const viewsSql = {
  recursion: `views (oid, old, columns, depth) AS (
  SELECT r.ev_class, d.old, d.columns, 1 FROM deps d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid WHERE r.ev_class <> TABLE_OID
  UNION SELECT r.ev_class, v.old, v.columns, v.depth + 1 FROM views v JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = v.oid AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite r ON r.oid = d.objid WHERE r.ev_class <> v.oid AND v.depth < 50
)`,
  rows: `SELECT 10 + v.depth, v.old, CASE WHEN v.columns > 1 OR vc.relkind <> 'v' OR EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = vc.oid)
      OR EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = vc.oid AND w.rulename <> '_RETURN')
      OR EXISTS (SELECT FROM pg_attrdef f WHERE f.adrelid = vc.oid)
      OR EXISTS (SELECT FROM pg_depend p WHERE (p.refclassid = 'pg_class'::regclass AND p.refobjid = vc.oid OR p.refclassid = 'pg_type'::regclass AND p.refobjid = vc.reltype)
        AND p.classid NOT IN ('pg_rewrite'::regclass, 'pg_type'::regclass)) THEN 'other' ELSE 'view' END, vc.oid::int8::text, vc.relname::text,
  format('%s %I.%I', CASE vc.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, vn.nspname, vc.relname), NULL, pg_get_viewdef(vc.oid), format('%I.%I', vn.nspname, vc.relname), false, true,
  (SELECT coalesce(jsonb_agg(s.sql ORDER BY s.position, s.sql), '[]') FROM (
    SELECT 1 AS position, format('ALTER VIEW %I.%I OWNER TO %I', vn.nspname, vc.relname, pg_get_userbyid(vc.relowner)) AS sql
    UNION ALL SELECT 2, format('ALTER VIEW %I.%I SET (%s)', vn.nspname, vc.relname, array_to_string(vc.reloptions, ', ')) WHERE vc.reloptions IS NOT NULL
    UNION ALL SELECT 3, format('GRANT %s ON %I.%I TO %s%s', g.privilege_type, vn.nspname, vc.relname, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
      FROM aclexplode(vc.relacl) AS g WHERE g.grantee <> vc.relowner
    UNION ALL SELECT 4, format('GRANT %s (%I) ON %I.%I TO %s%s', g.privilege_type, a.attname, vn.nspname, vc.relname, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
      FROM pg_attribute a, aclexplode(a.attacl) AS g WHERE a.attrelid = vc.oid AND a.attnum > 0
    UNION ALL SELECT 5, format('COMMENT ON VIEW %I.%I IS %L', vn.nspname, vc.relname, obj_description(vc.oid, 'pg_class')) WHERE obj_description(vc.oid, 'pg_class') IS NOT NULL
    UNION ALL SELECT 6, format('COMMENT ON COLUMN %I.%I.%I IS %L', vn.nspname, vc.relname, a.attname, col_description(vc.oid, a.attnum)) FROM pg_attribute a WHERE a.attrelid = vc.oid AND a.attnum > 0 AND col_description(vc.oid, a.attnum) IS NOT NULL
  ) AS s), NULL, CASE WHEN v.depth = 1 THEN '' ELSE 'indirect' END, CASE WHEN NOT pg_has_role(vc.relowner, 'USAGE') THEN '42501' END
FROM (SELECT oid, min(old) AS old, greatest(max(columns), count(DISTINCT old)) AS columns, max(depth) AS depth FROM views GROUP BY oid) AS v JOIN pg_class vc ON vc.oid = v.oid JOIN pg_namespace vn ON vn.oid = vc.relnamespace`,
};

const sequenceGrants = `(SELECT string_agg(format('GRANT %s ON SEQUENCE %s TO %s%s', g.privilege_type, ${qualified('sc.oid')}, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), '; ')
    FROM aclexplode(sc.relacl) AS g WHERE g.grantee <> sc.relowner)`;

/** Sequences and statistics; all else is named and can't be brought along. */
export const othersSql = `SELECT 7, d.old, ${oneColumn("'statistics'")}, s.oid::int8::text, s.stxname::text, pg_describe_object(d.classid, d.objid, 0), NULL,
  (SELECT left(m.text, length(m.text) - length(' FROM ' || s.stxrelid::regclass::text)) FROM (SELECT substr(pg_get_statisticsobjdef(s.oid), length(format('CREATE STATISTICS %I.%I', sn.nspname, s.stxname)) + 1) AS text) AS m),
  quote_ident(sn.nspname), false, s.stxexprs IS NOT NULL,
  ${settings(commentOn('STATISTICS %I.%I', 'sn.nspname, s.stxname', 's.oid', 'pg_statistic_ext'), "CASE WHEN coalesce(s.stxstattarget, -1) >= 0 THEN format('ALTER STATISTICS %I.%I SET STATISTICS %s', sn.nspname, s.stxname, s.stxstattarget) END", "format('ALTER STATISTICS %I.%I OWNER TO %I', sn.nspname, s.stxname, pg_get_userbyid(s.stxowner))")}, NULL, '', NULL
FROM deps d JOIN pg_statistic_ext s ON d.classid = 'pg_statistic_ext'::regclass AND s.oid = d.objid JOIN pg_namespace sn ON sn.oid = s.stxnamespace
UNION ALL
SELECT 8, d.old, 'sequence', sc.oid::int8::text, sc.relname::text, pg_describe_object(d.classid, d.objid, 0), NULL, NULL, ${qualified('sc.oid')}, false, false, ${settings(commentOn('SEQUENCE %s', qualified('sc.oid'), 'sc.oid', 'pg_class'), sequenceGrants)}, NULL, '', NULL
FROM deps d JOIN pg_class sc ON d.classid = 'pg_class'::regclass AND sc.oid = d.objid AND sc.relkind = 'S'
UNION ALL
SELECT 9, d.old, 'other', d.objid::int8::text, pg_describe_object(d.classid, d.objid, 0), pg_describe_object(d.classid, d.objid, 0), NULL, NULL, NULL, false, true, '[]', NULL, '', NULL
FROM deps d LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid LEFT JOIN pg_class oc ON d.classid = 'pg_class'::regclass AND oc.oid = d.objid
WHERE d.classid NOT IN ('pg_constraint'::regclass, 'pg_statistic_ext'::regclass) AND (d.classid <> 'pg_rewrite'::regclass OR w.ev_class = TABLE_OID) AND NOT (d.classid = 'pg_class'::regclass AND oc.relkind IN ('i', 'I', 'S'))
  AND NOT (d.classid = 'pg_trigger'::regclass AND EXISTS (SELECT FROM pg_trigger g WHERE g.oid = d.objid AND g.tgisinternal))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (SELECT FROM pg_attrdef f JOIN columns c ON c.attnum = f.adnum WHERE f.oid = d.objid AND f.adrelid = TABLE_OID AND c.old = d.old))
UNION ALL
SELECT 0, c.old::text, 'default', f.oid::int8::text, 'default', format('default of column %I', c.old), pg_get_expr(f.adbin, f.adrelid), pg_get_expr(f.adbin, f.adrelid), NULL, false, false, '[]', NULL, '', NULL
FROM columns c JOIN pg_attrdef f ON f.adrelid = TABLE_OID AND f.adnum = c.attnum JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum WHERE a.attgenerated = ''`;
