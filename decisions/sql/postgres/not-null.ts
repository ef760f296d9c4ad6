import type { Statement } from '../../../contracts/plan.ts';
import { hashOf } from '../../hash.ts';
import { dollarQuoted, literal, quote } from './identifier.ts';
import { setting, tableOf, type Ours } from './ours.ts';

/** The check that stands for NOT NULL until all rows have been read. */
export const notNullCheck = (ours: Ours, column: string): string =>
  `CONSTRAINT ${quote(notNullName(ours, column))} CHECK (${quote(column)} IS NOT NULL) NOT VALID`;

/** Told by a number, since a name of 63 bytes leaves no room: two long names would become one. */
export const notNullName = ({ mark }: Ours, column: string): string =>
  `lakeshift_${mark}_${hashOf(column).slice(0, 8)}`;

/** Makes NOT NULL of such checks without a scan under a strong lock: validate, take over, drop. */
export function takeOverNotNull(ours: Ours, columns: readonly string[]): readonly Statement[] {
  const role = columns.length === 0 || ours.actsAs === undefined ? [] : setting(ours, 'SET');
  const taken = columns.flatMap((column): Statement[] => {
    const name = quote(notNullName(ours, column));
    const table = tableOf(ours);
    const there = `EXISTS (SELECT FROM pg_constraint WHERE conrelid = ${literal(table)}::regclass AND conname = ${literal(notNullName(ours, column))})`;
    const when = (sql: string): string => `DO ${dollarQuoted(` BEGIN IF ${there} THEN ${sql}; END IF; END `)}`;
    return [
      {
        id: `not-null:${column}:validate`,
        note: 'reads the table under a weak lock',
        sql: when(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${name}`),
      },
      {
        id: `not-null:${column}:set`,
        note: 'the validated check spares the scan',
        sql: when(
          `ALTER TABLE ${table} ALTER COLUMN ${quote(column)} SET NOT NULL; ALTER TABLE ${table} DROP CONSTRAINT ${name}`,
        ),
      },
    ];
  });
  return [...role, ...taken];
}
