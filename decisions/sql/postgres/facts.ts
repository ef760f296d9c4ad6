import type { LookResult } from '../../../contracts/activities.ts';
import {
  dependentKinds,
  type ColumnFacts,
  type DependentFacts,
  type ForeignKeyFacts,
  type PartitionFacts,
  type RightsFacts,
  type ShapeFacts,
  type TableFacts,
} from '../../../contracts/facts.ts';
import type { Json, Row } from '../../../contracts/json.ts';
import type { TableSpec } from '../../../contracts/spec.ts';
import { parseQualified } from './identifier.ts';

/** Reads what the looks of `inspect` gave. A look that failed leaves its facts empty, which the plan refuses or calls unknown. */
export function tableFacts(spec: TableSpec, results: Readonly<Record<string, LookResult>>): TableFacts {
  const name = parseQualified(spec.table) ?? { schema: '', table: spec.table };
  const rows = (id: string): readonly Row[] => {
    const result = results[id];
    return result?.ok === true ? result.rows : [];
  };
  const table = rows('table')[0] ?? {};
  return {
    ...name,
    serverVersion: number(table['server_version']) ?? 0,
    oid: number(table['oid']),
    kind: text(table['kind']),
    owner: text(table['owner']),
    // −1 means that nobody has counted since the table was made
    rows: atLeastZero(number(table['rows'])),
    bytes: number(table['bytes']),
    pages: number(table['pages']),
    fillfactor: number(table['fillfactor']) ?? 100,
    partitions: rows('partitions').map(partition),
    rowSecurity: table['row_security'] === true,
    indexes: number(table['indexes']) ?? 0,
    columns: rows('columns').map(column),
    key: rows('key').map((row) => ({ name: words(row['name']), type: words(row['type']) })),
    triggers: rows('triggers').map((row) => ({
      name: words(row['name']),
      beforeRow: row['before_row'] === true,
      enabled: row['enabled'] === true,
    })),
    foreignKeys: rows('foreignKeys').map(foreignKey),
    views: rows('views').map((row) => ({ name: words(row['name']), columns: list(row['columns']) })),
    publications: rows('publications').map((row) => words(row['name'])),
    rights: rights(rows('rights')[0] ?? {}),
    ...carried(results),
    shape: shape(rows('shape'), rows('rules')),
    expressions: [],
    tablesNearby: rows('nearby').map((row) => words(row['name'])),
    holder: text(rows('holder')[0]?.['deployment']),
  };
}

const column = (row: Row): ColumnFacts => {
  const generated = words(row['generated']);
  const defaultSql = text(row['default_sql']);
  return {
    name: words(row['name']),
    type: words(row['type']),
    notNull: row['not_null'] === true,
    hasDefault: row['has_default'] === true,
    defaultSql,
    collation: text(row['collation']),
    constantDefault: defaultSql !== null && isConstant(defaultSql) ? defaultSql : null,
    generated: generated === 'stored' || generated === 'identity' ? generated : 'no',
  };
};

const partition = (row: Row): PartitionFacts => ({
  name: words(row['name']),
  oid: number(row['oid']) ?? 0,
  kind: words(row['kind']),
  pages: number(row['pages']) ?? 0,
});

const isConstant = (sql: string): boolean =>
  /^(?:\(?-?[\d.]+\)?|'(?:[^']|'')*'|true|false)(?:::[\w "(),.]+)?$/i.test(sql);

const foreignKey = (row: Row): ForeignKeyFacts => ({
  name: words(row['name']),
  columns: list(row['columns']),
  incoming: row['incoming'] === true,
  otherTable: words(row['other_table']),
});

/** A look that failed is not the same as nothing. */
const carried = ({ dependents, columnSettings }: Readonly<Record<string, LookResult>>): Partial<TableFacts> => ({
  ...(dependents?.ok === true ? { dependents: dependents.rows.map(dependent) } : {}),
  ...(columnSettings?.ok === true ? { columnSettings: columnSettings.rows.map((row) => words(row['sql'])) } : {}),
});

const dependent = (row: Row): DependentFacts => ({
  column: words(row['column']),
  kind: dependentKinds.find((kind) => kind === row['kind']) ?? 'other',
  oid: number(row['oid']) ?? 0,
  name: words(row['name']),
  description: words(row['description']),
  definition: text(row['definition']),
  original: text(row['original']),
  refused: text(row['refused']),
  table: text(row['table']),
  unique: row['unique'] === true,
  computed: row['computed'] === true,
  settings: list(row['settings']),
  tablespace: text(row['tablespace']),
  deferrable: words(row['deferrable']),
});

const shape = ([row = {}]: readonly Row[], rules: readonly Row[]): ShapeFacts => ({
  temporary: row['persistence'] === 't',
  partition: row['partition'] === true,
  hasChildren: row['has_children'] === true,
  hasParents: row['has_parents'] === true,
  columnsEver: number(row['columns_ever']) ?? 0,
  updatesFail: row['updates_fail'] === true,
  updateRules: rules.map((rule) => words(rule['name'])),
});

const rights = (row: Row): RightsFacts => ({
  role: words(row['role']),
  ...(typeof row['database'] === 'string' ? { database: row['database'] } : {}),
  superuser: row['superuser'] === true,
  ...(typeof row['acts_as'] === 'string' ? { actsAs: row['acts_as'] } : {}),
  ownsTable: row['owns_table'] === true,
  schemaReady: row['schema_ready'] === true,
  temporary: row['temporary'] === true,
});

const text = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null);
const words = (value: Json | undefined): string => text(value) ?? '';
const list = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(String) : []);
const number = (value: Json | undefined): number | null =>
  value === null || value === undefined || Number.isNaN(Number(value)) ? null : Number(value);
const atLeastZero = (value: number | null): number | null => (value !== null && value < 0 ? null : value);
