import type { ChangeSpec, TableSpec } from '../../contracts/spec.ts';
import type { Rule, Value } from '../support/row-oracle.ts';

/** A column of a table of the test, besides its key. */
export interface TestColumn {
  readonly name: string;
  readonly type: string;
  readonly notNull?: boolean;
  /** SQL constant and what it reads as. */
  readonly default?: string;
  /** What applications write into it, and what it holds before the start. */
  readonly values: readonly Value[];
  readonly initial: readonly Value[];
}

/** A table, a change of it, and the rules by which an oracle knows what comes of it. */
export interface Subject {
  readonly columns: readonly TestColumn[];
  /** Columns that the change adds, with what applications write into them. */
  readonly added: readonly Pick<TestColumn, 'name' | 'values'>[];
  /** Columns that the contract drops. */
  readonly dropped: readonly string[];
  /** Columns that the cutover makes NOT NULL. */
  readonly madeNotNull: readonly string[];
  readonly changes: readonly ChangeSpec[];
  readonly rules: readonly Rule[];
}

/** The spec of a subject. */
export const specOf = (subject: Subject, table: string, conflict: 'old-wins' | 'new-wins'): TableSpec => ({
  name: 'property',
  strategy: 'expand-contract',
  target: 'shop',
  table: `public.${table}`,
  changes: subject.changes,
  conflict,
});
