/** What a plan's stages run, as the activities are given it. */

/** One SQL statement of the plan. `$1…` are parameters that the activity binds; their meaning is in `note`. */
export interface Statement {
  /** Unique in its stage. */
  readonly id: string;
  readonly sql: string;
  readonly note: string;
  /** The role as which a look is run; absent: our own. */
  readonly as?: string;
}

/** A DDL transaction: statements in order, and a probe that says whether it is done already. */
export interface Alteration {
  /** `select` of one boolean row `done`: everything below is already in place. */
  readonly done: Statement;
  /** Run in one transaction under a short lock timeout, behind the fence. */
  readonly statements: readonly Statement[];
  /** Names the table whose locks are looked at before trying. */
  readonly table: string;
  /** Further tables and views that it locks. */
  readonly alsoLocks?: readonly string[];
}

/**
 * A check of rows, slice by slice. `fast` is tried first; when it meets a data error the slice is run again with
 * `slow`, which counts failures row by row by a function made by `prepare` in the session's temporary schema.
 * Both answer one row: `seen`, `wrong`, `lossy` (counts) and `keys` (text array, at most 20 keys of wrong rows).
 */
export interface RowCheck {
  /** Settings of its connection. */
  readonly session?: readonly Statement[];
  /** Statements run once per session, when `slow` is needed. */
  readonly prepare: readonly Statement[];
  /**
   * Tells in one cheap look whether a slice needs the others: one row `seen` and `intact` (counts); where they are equal,
   * nothing is wrong and nothing lossy. Absent: every slice is looked at by `fast`.
   */
  readonly glance?: Statement;
  /** Parameters: see `slices`. */
  readonly fast: Statement;
  readonly slow: Statement;
  readonly slices: PageSlices | KeySlices;
}

/** Slices of heap pages: `$1::tid` (inclusive) to `$2::tid` (exclusive). */
export interface PageSlices {
  readonly by: 'pages';
  readonly pages: number;
  /** One row `pages`: how many the table has now. */
  readonly size: Statement;
}

/** Slices of the key, from its end to its beginning: rows with key < (`$1…`), the first slice without bound. */
export interface KeySlices {
  readonly by: 'keys';
  readonly rows: number;
  readonly key: readonly { readonly name: string; readonly type: string }[];
  /** The last key there is: one row `k0…kn` as text, or none. */
  readonly last: Statement;
  /** The lowest key of the next slice below (`$1…$n` inclusive upper bound, then how many rows − 1): one row `k0…kn`, or none: then the slice is the rest. */
  readonly next: Statement;
  /** The same checks for the rest: no lower bound. */
  readonly glanceRest?: Statement;
  readonly fastRest: Statement;
  readonly slowRest: Statement;
}

export type BuildStep =
  | { readonly step: 'index'; readonly title: string; readonly index: IndexBuild }
  | { readonly step: 'alter'; readonly title: string; readonly alteration: Alteration }
  /** Statements that take long and lock little; each may run again. */
  | { readonly step: 'long'; readonly title: string; readonly statements: readonly Statement[] };

/** An index that is made beside the application's work, outside a transaction. */
export interface IndexBuild {
  readonly name: string;
  /** One row: `there`, an index of this name; `ready`, it is valid and as it should be. */
  readonly probe: Statement;
  /** Settings of the session that makes it. */
  readonly session: readonly Statement[];
  readonly create: Statement;
  /** Removes what an attempt has left that did not come to its end. */
  readonly drop: Statement;
}

/** How indexes are kept from growing while rows leave their pages. */
export interface VacuumRule {
  /** A vacuum is due each time that so many of a heap's rows have left their page, as a share of all its rows. */
  readonly coldShare: number;
  readonly settings: readonly Statement[];
  /** A setting more while an application is there. */
  readonly gently: Statement;
  /** With `{heap}` for the quoted name of a partition. */
  readonly run: Statement;
}
