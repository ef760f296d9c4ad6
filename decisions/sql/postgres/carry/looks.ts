import type { Statement } from '../../../../contracts/plan.ts';
import type { TableSpec } from '../../../../contracts/spec.ts';
import { isSwap } from '../changes/swap-type.ts';
import { literal, parseColumn, parseName } from '../identifier.ts';
import { fittingName, markOf } from '../ours.ts';
import { constraintsSql, indexesSql, othersSql, viewsSql } from './dependents-sql.ts';

/** A column that another one shall replace. */
interface Replaced {
  readonly old: string;
  readonly fresh: string;
  readonly sameType: boolean;
}

/** What hangs on the columns that the spec has replaced; nothing is asked when it has none. */
export function carryLooks(spec: TableSpec): readonly Statement[] {
  const columns = replacedIn(spec);
  if (columns.length === 0) return [];
  const values = columns.map(
    ({ old, fresh, sameType }) => `(${literal(old)}::name, ${literal(fresh)}::name, ${String(sameType)})`,
  );
  const replaced = `replaced (old, fresh, same_type) AS (VALUES ${values.join(', ')})`;
  return [
    {
      id: 'dependents',
      note: 'what hangs on the columns that are replaced',
      sql: dependentsSql(replaced),
    },
    {
      id: 'columnSettings',
      note: 'their comments, grants and settings',
      sql: `WITH ${replaced} ${columnSettingsSql}`,
    },
  ];
}

function replacedIn(spec: TableSpec): readonly Replaced[] {
  const mark = markOf(spec);
  return spec.changes.flatMap((change, index): Replaced[] => {
    if ('rename' in change) return pair(parseName(change.rename), parseName(change.to), true);
    if (!('type' in change)) return [];
    const old = parseName(change.type);
    const fresh = isSwap(change) ? fittingName(mark, 'new', old ?? '', index) : parseColumn(change.to)?.name;
    return pair(old, fresh ?? null, false);
  });
}

const pair = (old: string | null, fresh: string | null, sameType: boolean): Replaced[] =>
  old === null || fresh === null ? [] : [{ old, fresh, sameType }];

/**
 * Whatever `pg_depend` knows to hang on such a column. A definition for the new column stands here only where it
 * consists of names; what holds expressions is written by the server itself, in `follow.ts`.
 */
const dependentsSql = (replaced: string): string => `WITH RECURSIVE ${replaced},
columns AS (SELECT a.attnum, r.* FROM replaced r JOIN pg_attribute a ON a.attrelid = TABLE_OID AND a.attname = r.old AND NOT a.attisdropped),
deps AS (SELECT d.classid, d.objid, min(c.old::text) AS old, count(DISTINCT c.old) AS columns FROM pg_depend d JOIN columns c ON c.attnum = d.refobjsubid
  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = TABLE_OID GROUP BY 1, 2),
${viewsSql.recursion}
${[indexesSql, constraintsSql, viewsSql.rows, othersSql].join('\nUNION ALL\n')}
ORDER BY position, oid`;

const columnSettingsSql = `SELECT s.sql FROM replaced r
JOIN pg_attribute a ON a.attrelid = TABLE_OID AND a.attname = r.old AND NOT a.attisdropped
JOIN pg_class t ON t.oid = a.attrelid JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_type ty ON ty.oid = a.atttypid
CROSS JOIN LATERAL (
  SELECT 1 AS position, format('GRANT %s (%I) ON %I.%I TO %s%s', g.privilege_type, r.fresh, n.nspname, t.relname,
    CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS sql FROM aclexplode(a.attacl) AS g
  UNION ALL SELECT 2, format('COMMENT ON COLUMN %I.%I.%I IS %L', n.nspname, t.relname, r.fresh, col_description(t.oid, a.attnum)) WHERE col_description(t.oid, a.attnum) IS NOT NULL
  UNION ALL SELECT 3, format('ALTER TABLE %I.%I ALTER COLUMN %I SET STATISTICS %s', n.nspname, t.relname, r.fresh, a.attstattarget) WHERE coalesce(a.attstattarget, -1) >= 0
  UNION ALL SELECT 4, format('ALTER TABLE %I.%I ALTER COLUMN %I SET (%s)', n.nspname, t.relname, r.fresh, array_to_string(a.attoptions, ', ')) WHERE a.attoptions IS NOT NULL
  UNION ALL SELECT 5, format('ALTER TABLE %I.%I ALTER COLUMN %I SET STORAGE %s', n.nspname, t.relname, r.fresh, CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END)
    WHERE r.same_type AND a.attstorage <> ty.typstorage
  UNION ALL SELECT 6, format('ALTER TABLE %I.%I ALTER COLUMN %I SET COMPRESSION %s', n.nspname, t.relname, r.fresh, CASE a.attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END)
    WHERE r.same_type AND a.attcompression <> ''
) AS s ORDER BY r.old, s.position, s.sql`;
