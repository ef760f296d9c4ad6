import type { NamedSql } from '../alteration.ts';
import { dollarQuoted, literal, quote } from '../identifier.ts';
import { tableOf, type Ours } from '../ours.ts';
import { beside, tableOfConstraint, type CarriedItem } from './carried.ts';

/** Gives an index, a constraint or statistics another name. */
export function renamed(ours: Ours, item: CarriedItem, from: string, to: string): NamedSql {
  const note = `${from} is called ${to}`;
  if (item.kind === 'index') return [note, `ALTER INDEX ${beside(ours, from)} RENAME TO ${quote(to)}`];
  if (item.kind === 'statistics')
    return [note, `ALTER STATISTICS ${item.table ?? ''}.${quote(from)} RENAME TO ${quote(to)}`];
  return [note, `ALTER TABLE ${tableOfConstraint(ours, item)} RENAME CONSTRAINT ${quote(from)} TO ${quote(to)}`];
}

/** Since PostgreSQL 18 a NOT NULL has a name too; before, there is nothing to do. */
export function renamedNotNull(ours: Ours, column: string, to: string): string {
  const table = literal(tableOf(ours));
  const alter = `ALTER TABLE ${tableOf(ours).replaceAll('%', '%%')} RENAME CONSTRAINT %I TO %I`;
  const body = [
    ' DECLARE lakeshift_name name; BEGIN',
    '  SELECT c.conname INTO lakeshift_name FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]',
    `    WHERE c.conrelid = ${table}::regclass AND c.contype = 'n' AND a.attname = ${literal(column)};`,
    `  IF lakeshift_name <> ${literal(to)} THEN`,
    `    EXECUTE format(${literal(alter)}, lakeshift_name, ${literal(to)});`,
    '  END IF;',
    'END ',
  ];
  return `DO ${dollarQuoted(body.join('\n'))}`;
}

/** Comments, marks and grants that belong to a name, whoever has it now. */
export const settingsOf = (items: readonly CarriedItem[]): readonly NamedSql[] =>
  items.flatMap(({ name, settings }) => settings.map((sql): NamedSql => [`as ${name} had it`, sql]));
