import type { Alteration, Statement } from '../../../contracts/plan.ts';
import { literal, quote } from './identifier.ts';
import { setting, tableOf, type Ours } from './ours.ts';

/** A note and its statement. */
export type NamedSql = readonly [note: string, sql: string];

/** One DDL transaction as it is wished. */
export interface AlterationWish {
  readonly id: string;
  /** The word in our own lock row by which it is known to have happened. */
  readonly word: string;
  readonly mode: 'do' | 'undo';
  readonly statements: readonly NamedSql[];
  /** Further tables and views that it locks. */
  readonly alsoLocks?: readonly string[];
}

/** The statements of one DDL transaction, and how it is known to have happened. */
export function alteration(ours: Ours, { id, word, mode, statements, alsoLocks = [] }: AlterationWish): Alteration {
  const claims = `${quote(ours.homeSchema)}.claims`;
  const happened = `EXISTS (SELECT FROM ${claims} WHERE deployment = $1 AND ${literal(word)} = ANY (altered))`;
  const mark =
    mode === 'do'
      ? `UPDATE ${claims} SET altered = array_append(altered, ${literal(word)}) WHERE deployment = $1`
      : `UPDATE ${claims} SET altered = array_remove(altered, ${literal(word)}) WHERE deployment = $1`;
  return {
    table: tableOf(ours),
    ...(alsoLocks.length === 0 ? {} : { alsoLocks: [...new Set(alsoLocks)] }),
    done: { id: `${id}:done`, note: '$1 deployment', sql: `SELECT ${mode === 'do' ? '' : 'NOT '}${happened} AS done` },
    statements: [
      ...setting(ours, 'SET LOCAL').map((statement) => ({ ...statement, id: `${id}:${statement.id}` })),
      ...statements.map(([note, sql], index): Statement => ({ id: `${id}:${index}`, note, sql })),
      { id: `${id}:mark`, note: 'recorded in the same transaction; $1 deployment', sql: mark },
    ],
  };
}
