import type { Row } from '../support/row-oracle.ts';
import { keyNames, literal } from './application.ts';
import type { Ground } from './ground.ts';
import type { Sequence } from './operations.ts';
import { keyKinds } from './keys.ts';
import type { Subject } from './subject.ts';

/** Makes the table of a sequence; the rows are those that it begins with. */
export async function makeTable(
  { owner }: Ground,
  subject: Subject,
  sequence: Sequence,
  table: string,
): Promise<readonly Row[]> {
  const rows = initialRows(subject, sequence);
  await owner.query(createTable(subject, sequence, table));
  await owner.query(insertAll(subject, sequence, table, rows));
  return rows;
}

function initialRows(subject: Subject, { rows, key }: Sequence): readonly Row[] {
  return Array.from({ length: rows }, (_, index) => ({
    ref: index + 1,
    key: keyKinds[key].of(index + 1),
    values: Object.fromEntries(
      subject.columns.map(({ name, initial }, place) => [
        name,
        initial[(index * (place + 1)) % initial.length] ?? null,
      ]),
    ),
  }));
}

function createTable(subject: Subject, { key, fillfactor }: Sequence, table: string): string {
  const columns = subject.columns.map(
    ({ name, type, notNull, default: value }) =>
      `${name} ${type}${notNull === true ? ' NOT NULL' : ''}${value === undefined ? '' : ` DEFAULT ${value}`}`,
  );
  const kind = keyKinds[key];
  const primary = kind.columns.length === 0 ? [] : [`PRIMARY KEY (${kind.columns.join(', ')})`];
  const parts = ['ref integer', kind.sql, ...columns, 'pad text', ...primary];
  return `CREATE TABLE ${table} (${parts.join(', ')}) WITH (fillfactor = ${fillfactor}, autovacuum_enabled = false)`;
}

function insertAll(subject: Subject, { key }: Sequence, table: string, rows: readonly Row[]): string {
  const names = ['ref', ...keyNames(key), ...subject.columns.map(({ name }) => name), 'pad'];
  const tuples = rows.map(
    (row) =>
      `(${[String(row.ref), ...[...row.key, ...Object.values(row.values)].map(literal), `repeat('p', 400)`].join(', ')})`,
  );
  return `INSERT INTO ${table} (${names.join(', ')}) VALUES ${tuples.join(', ')}`;
}
