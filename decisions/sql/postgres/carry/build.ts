import type { Alteration, BuildStep, IndexBuild, Statement } from '../../../../contracts/plan.ts';
import { alteration, type NamedSql } from '../alteration.ts';
import { dollarQuoted, literal, quote } from '../identifier.ts';
import { notNullCheck, notNullName } from '../not-null.ts';
import { setting, tableOf, type Ours } from '../ours.ts';
import { beside, keepsNotNull, lockedBy, ofKind, tableOfConstraint } from './carried.ts';
import type { Carried, CarriedItem } from './carried.ts';

/** Makes everything that needs time on the new columns, under names of ours: nothing of it is used yet. */
export function buildSteps(ours: Ours, carried: readonly Carried[]): readonly BuildStep[] {
  const indexes = carried.flatMap((each) => [
    ...ofKind(each, 'index', 'primary key', 'unique').map((item) => indexOf(ours, item, 'new')),
    ...backIndexes(each).map((item) => indexOf(ours, item, 'back')),
  ]);
  const notNull = carried.filter(buildsNotNull).map(({ change }) => change.fresh.name);
  return [
    ...indexes.map((index): BuildStep => ({ step: 'index', title: `index ${index.name}`, index })),
    ...constraintSteps(ours, carried, notNull),
    { step: 'long', title: 'check them, and read the new columns', statements: checks(ours, carried, notNull) },
    ...notNullSteps(ours, notNull),
  ];
}

/** NOT NULL before the cutover only where no write of the application can fail for it. */
export const buildsNotNull = ({ change }: Carried): boolean => keepsNotNull(change) && change.alwaysFits;

/** Takes away what does not go with the new columns: foreign keys of others, and indexes kept for the way back. */
export function undoBuild(ours: Ours, carried: readonly Carried[]): readonly Alteration[] {
  const references = carried.flatMap((each) => ofKind(each, 'reference'));
  // a foreign key holds the unique constraint that it points at
  const constraints = [...references, ...carried.flatMap((each) => ofKind(each, 'unique', 'check', 'foreign key'))];
  const statistics = carried.flatMap((each) => ofKind(each, 'statistics'));
  const back = carried.flatMap(backIndexes).map((item) => backName(ours, item));
  const names = [...references.map(({ ourName }) => ourName), ...back].map(literal);
  const wish = alteration(ours, {
    id: 'build-undo',
    word: 'build',
    mode: 'undo',
    alsoLocks: lockedBy(carried, 'foreign key', 'reference'),
    statements: [
      ...constraints.map((item): NamedSql => [
        `${item.name} is there once again`,
        `ALTER TABLE ${tableOfConstraint(ours, item)} DROP CONSTRAINT IF EXISTS ${quote(item.ourName)}`,
      ]),
      ...statistics.map((item): NamedSql => [
        'statistics of the new column go',
        `DROP STATISTICS IF EXISTS ${item.table ?? ''}.${quote(item.ourName)}`,
      ]),
      ...back.map((name): NamedSql => ['kept for the way back', `DROP INDEX IF EXISTS ${beside(ours, name)}`]),
      ...notNullOf(ours, carried),
      [
        'what was recorded of it',
        `UPDATE ${quote(ours.homeSchema)}.claims SET altered = array_remove(altered, 'build-not-null') WHERE table_oid = ${literal(tableOf(ours))}::regclass AND mark = ${literal(ours.mark)}`,
      ],
    ],
  });
  const left = `EXISTS (SELECT FROM pg_constraint WHERE conname = ANY (ARRAY[${names.join(', ')}]::name[])) OR EXISTS (SELECT FROM pg_class WHERE relname = ANY (ARRAY[${names.join(', ')}]::name[]))`;
  return [
    {
      ...wish,
      done: { ...wish.done, sql: `SELECT done AND NOT (${left}) AS done FROM (${wish.done.sql}) AS recorded` },
    },
  ];
}

/** A NOT NULL that was built may not outlive its column's undo where that keeps the column. */
const notNullOf = (ours: Ours, carried: readonly Carried[]): readonly NamedSql[] =>
  carried
    .filter(buildsNotNull)
    .map(({ change }): NamedSql => [
      'the new column may be empty again',
      `ALTER TABLE ${tableOf(ours)} DROP CONSTRAINT IF EXISTS ${quote(notNullName(ours, change.fresh.name))}, ALTER COLUMN ${quote(change.fresh.name)} DROP NOT NULL`,
    ]);

/** A primary key can't be there twice: where one is exchanged, the old columns keep an index for the way back. */
const backIndexes = (each: Carried): readonly CarriedItem[] =>
  each.change.kind === 'swap' ? ofKind(each, 'primary key') : [];

/** The index by which an old primary key can come back at once. */
export const backName = (ours: Ours, { oid }: CarriedItem): string => `lakeshift_${ours.mark}_back_${oid}`;

function indexOf(ours: Ours, item: CarriedItem, which: 'new' | 'back'): IndexBuild {
  const name = which === 'new' ? item.ourName : backName(ours, item);
  const definition = (which === 'new' ? item.definition : item.original) ?? '';
  const full = beside(ours, name);
  const set = (setting: string, value: string, note: string): Statement => ({
    id: setting,
    note,
    sql: `SET ${setting} = ${value}`,
  });
  return {
    name,
    probe: {
      id: 'probe',
      note: 'there, valid, and as it should be?',
      sql: `SELECT count(*) > 0 AS there, coalesce(bool_and(x.indisvalid AND x.indisready AND x.indisunique = ${String(item.unique)} AND right(pg_get_indexdef(x.indexrelid), length(d.text)) = d.text), false) AS ready
FROM (SELECT ${literal(definition)}::text AS text) AS d JOIN pg_index x ON x.indexrelid = to_regclass(${literal(full)}) AND x.indrelid = ${literal(tableOf(ours))}::regclass`,
    },
    session: [
      ...setting(ours, 'SET'),
      set('statement_timeout', '0', 'it takes as long as it takes'),
      set('lock_timeout', '0', 'nobody who writes waits behind it'),
      ...(item.tablespace === null ? [] : [set('default_tablespace', quote(item.tablespace), 'where the old one is')]),
    ],
    create: {
      id: 'create',
      note: `${which === 'new' ? 'as' : 'for the way back:'} ${item.name}, beside the application's work`,
      sql: `CREATE ${item.unique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY ${quote(name)} ON ${tableOf(ours)} USING ${definition}`,
    },
    drop: {
      id: 'drop',
      note: 'what an interrupted attempt has left',
      sql: `DROP INDEX CONCURRENTLY IF EXISTS ${full}`,
    },
  };
}

/** Constraints that bind from now on and are checked against the rows afterwards. */
function constraintSteps(ours: Ours, carried: readonly Carried[], notNull: readonly string[]): readonly BuildStep[] {
  const statements: readonly NamedSql[] = [
    ...notNull.map((column): NamedSql => [
      'NOT NULL for new rows; no row is read',
      `ALTER TABLE ${tableOf(ours)} ADD ${notNullCheck(ours, column)}`,
    ]),
    ...carried
      .flatMap((each) => ofKind(each, 'unique', 'check', 'foreign key', 'reference', 'statistics'))
      .map((item) => constraint(ours, item)),
  ];
  const alsoLocks = lockedBy(carried, 'foreign key', 'reference');
  return statements.length === 0
    ? []
    : [
        {
          step: 'alter',
          title: 'constraints for new rows',
          alteration: alteration(ours, {
            id: 'build',
            word: 'build',
            mode: 'do',
            statements,
            alsoLocks,
          }),
        },
      ];
}

function constraint(ours: Ours, item: CarriedItem): NamedSql {
  const definition = item.definition ?? '';
  const add = `ALTER TABLE ${tableOfConstraint(ours, item)} ADD CONSTRAINT ${quote(item.ourName)}`;
  if (item.kind === 'statistics')
    return [
      `as ${item.name}`,
      `CREATE STATISTICS ${item.table ?? ''}.${quote(item.ourName)}${definition} FROM ${tableOf(ours)}`,
    ];
  if (item.kind === 'unique')
    return [`as ${item.name}`, `${add} UNIQUE USING INDEX ${quote(item.ourName)}${item.deferrable}`];
  const later = definition.endsWith(' NOT VALID') ? '' : ' NOT VALID';
  return [`as ${item.name}, for new rows; no row is read`, `${add} ${definition}${later}`];
}

/** Reads the table under weak locks. An autovacuum in the way gives way after a second, so that is waited for. */
function checks(ours: Ours, carried: readonly Carried[], notNull: readonly string[]): readonly Statement[] {
  const validate = (table: string, name: string, id: string): Statement => ({
    id: `validate:${id}`,
    note: 'reads the rows under a weak lock',
    sql: `ALTER TABLE ${table} VALIDATE CONSTRAINT ${quote(name)}`,
  });
  const columns = carried.map(({ change }) => quote(change.fresh.name));
  return [
    ...setting(ours, 'SET'),
    { id: 'wait', note: 'for locks that no writer waits behind', sql: `SET lock_timeout = '5s'` },
    ...carried
      .flatMap((each) => ofKind(each, 'check', 'foreign key', 'reference'))
      .filter(({ definition }) => definition?.endsWith(' NOT VALID') === false)
      .map((item) => validate(tableOfConstraint(ours, item), item.ourName, item.name)),
    ...notNull.map((column) => validateIfThere(ours, column)),
    {
      id: 'analyze',
      note: 'without statistics of the new columns plans would turn bad at the cutover',
      sql: `ANALYZE ${tableOf(ours)} (${columns.join(', ')})`,
    },
  ];
}

const validateIfThere = (ours: Ours, column: string): Statement => {
  const name = notNullName(ours, column);
  return {
    id: `validate:${column}`,
    note: 'reads the rows under a weak lock',
    sql: `DO ${dollarQuoted(` BEGIN IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = ${literal(tableOf(ours))}::regclass AND conname = ${literal(name)}) THEN ALTER TABLE ${tableOf(ours)} VALIDATE CONSTRAINT ${quote(name)}; END IF; END `)}`,
  };
};

/** The checks that are valid now spare the scan. */
function notNullSteps(ours: Ours, columns: readonly string[]): readonly BuildStep[] {
  if (columns.length === 0) return [];
  const clauses = (make: (column: string) => string): string => columns.map(make).join(', ');
  const statements: readonly NamedSql[] = [
    [
      'the checked constraint spares the scan',
      `ALTER TABLE ${tableOf(ours)} ${clauses((column) => `ALTER COLUMN ${quote(column)} SET NOT NULL`)}`,
    ],
    [
      'which has done its work',
      `ALTER TABLE ${tableOf(ours)} ${clauses((column) => `DROP CONSTRAINT ${quote(notNullName(ours, column))}`)}`,
    ],
  ];
  return [
    {
      step: 'alter',
      title: `NOT NULL of ${columns.join(', ')}`,
      alteration: alteration(ours, { id: 'build-not-null', word: 'build-not-null', mode: 'do', statements }),
    },
  ];
}
