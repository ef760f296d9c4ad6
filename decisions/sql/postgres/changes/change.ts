import type { ColumnFacts } from '../../../../contracts/facts.ts';
import type { ChangeClass, Finding } from '../../../../contracts/plan.ts';
import type { ChangeSpec } from '../../../../contracts/spec.ts';
import { settled } from '../expression.ts';
import type { Ours } from '../ours.ts';

/** Which shape wins when one write sets both and they disagree. */
export type Lead = 'old' | 'new';

/** What one change of a spec contributes to each stage of a plan; its names are parsed and its expressions cast. */
export interface Change {
  /** Its place in the spec. */
  readonly index: number;
  readonly classification: ChangeClass;
  /** What expand does about it, in one line. */
  readonly title: string;
  /** The columns that the deployment holds during grace. */
  readonly columns: readonly string[];
  /** A column that expand adds. */
  readonly added: AddedColumn | null;
  /** A column that contract drops. */
  readonly dropped: string | null;
  /** True: the application has to move from one shape to the other. */
  readonly moves: boolean;
  /** NOT NULL that is lifted from expand on, because the old shape can't hold every new value. */
  readonly lifted: string | null;
  /** A computed default that is taken from its column from expand on, and given by the trigger. */
  readonly suspends: { readonly column: string; readonly default: string } | null;
  readonly expressions: readonly Expression[];
  /** How rows that are there get their value; null: they are not rewritten. */
  readonly conversion: Conversion | null;
  /** What the trigger does with a written row, as PL/pgSQL statements; null: nothing. */
  readonly sync: ((ours: Ours, lead: Lead) => string) | null;
  /** How each row is judged; null: there is nothing to judge. */
  readonly rows: RowRules | null;
  /** A NOT NULL that the cutover sets. */
  readonly setsNotNull: string | null;
  /** A column that takes another one's place, with what hangs on it. */
  readonly replaces: Replacement | null;
  readonly findings: readonly Finding[];
}

/** Of two columns that hold the same value, the one that stays takes over from the one that goes. */
export interface Replacement {
  readonly kind: 'rename' | 'type' | 'swap';
  readonly old: ColumnFacts;
  /** The column as it is called on this side of the cutover; equal to `old.name` where it has the name already. */
  readonly fresh: { readonly name: string; readonly type: string };
  /** What the old column is called on this side. */
  readonly oldName: string;
  /** New value from the old one, cast; it knows the old column by its name before the cutover. */
  readonly up: string;
  /** The new value is the old one, at most cast: what is computed of it may be computed of the new one too. */
  readonly keepsValue: boolean;
  /** Every value of the old type fits into the new one. */
  readonly alwaysFits: boolean;
  /** Of which neither may be NULL when the other is not: misfits are refused. */
  readonly refusesMisfits: boolean;
  readonly leaveBehind: readonly string[];
}

export interface AddedColumn {
  readonly name: string;
  readonly type: string;
  /** SQL, cast to the column's type. */
  readonly default: string | null;
  /** Qualified and quoted; absent: its type's own. */
  readonly collation?: string | null;
  /** JSON pointer of the field that names it. */
  readonly pointer: string;
}

/** An SQL expression of the spec, cast to the type it gives. */
export interface Expression {
  /** The field of the change that holds it. */
  readonly field: string;
  readonly type: string;
  readonly sql: string;
  /** The only column that it may read; null: any that is not generated. */
  readonly reads: string | null;
  /** What it reads is not a column of the table yet, but has this type. */
  readonly input?: { readonly type: string };
}

/** What the backfill writes, and where. */
export interface Conversion {
  readonly column: string;
  readonly value: string;
  /**
   * SQL: the row still needs the backfill. What is not NULL was written by the trigger, by the application or by an
   * earlier chunk; whether it is right is for the verification to say, which asks in another way.
   */
  readonly missing: string;
}

/** SQL over a row `r`, for the checks that go over all rows. */
export interface RowRules {
  /** The column as it will be: what the row `r` of the first check has besides the table's own columns. */
  readonly converted: { readonly column: string; readonly value: string } | null;
  /** Before the start: the row can not be converted, although nothing fails. */
  readonly misfit: string;
  /** Before the start: going there and back would not give the value that was there. */
  readonly roundTripLoss: string;
  /** Afterwards: `right`, and nothing would be lost; cheaper to ask than both. */
  readonly intact: string;
  /** Afterwards: both shapes of the row agree. */
  readonly right: string;
  /** Afterwards: the old shape would lose something of the new one. */
  readonly losesGoingBack: string;
  /** The same as the last two for one row in a PL/pgSQL body that can't fail; it returns 'right', 'lossy' or 'wrong'. */
  readonly comparison: readonly string[];
}

/** What a change is read with. */
export interface Reading {
  /** The table's columns before anything was touched. */
  readonly columns: readonly ColumnFacts[];
  readonly mark: string;
  /** Columns that keep their name are exchanged by the cutover: before it and after it they are called differently. */
  readonly side: Side;
}
export type Side = 'before' | 'after';

/** Reads one kind of change; null when its column is not there. */
export type ReadChange<S extends ChangeSpec> = (spec: S, index: number, reading: Reading) => Change | null;

/** An expression that gives a value of this type. */
export const cast = (expression: string, type: string): string => `(${settled(expression)})::${type}`;

/** What most kinds of change do not have. */
export const plain: Omit<Change, 'index' | 'classification' | 'title' | 'columns'> = {
  added: null,
  dropped: null,
  moves: false,
  lifted: null,
  suspends: null,
  expressions: [],
  conversion: null,
  sync: null,
  rows: null,
  setsNotNull: null,
  replaces: null,
  findings: [],
};

/** Changes that rewrite rows that are there. */
export const isConverting = (change: Change): change is Change & { readonly conversion: Conversion } =>
  change.conversion !== null;
/** Changes whose rows can be judged. */
export const isJudged = (change: Change): change is Change & { readonly rows: RowRules } => change.rows !== null;
/** Changes that the trigger keeps true. */
export const isSynced = (change: Change): change is Change & { readonly sync: NonNullable<Change['sync']> } =>
  change.sync !== null;
