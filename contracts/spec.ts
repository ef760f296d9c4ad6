import type { ModelSpec } from './model-spec.ts';
import type { CanarySpec, ReleaseSpec } from './release-spec.ts';
import type { NotifySpec } from './notifications.ts';
import type { Acceptance, ConflictPolicy, FailurePolicy, MisfitPolicy } from './catalog.ts';

/** What a caller wishes, as written: durations are text such as `7d`, `90s` or ISO-8601 `P7D`. */
export type Spec = SimpleSpec | JointSpec;

/** What one strategy does to one target. */
export type SimpleSpec = TableSpec | ReleaseSpec | ModelSpec;

/** Another shape of a table. */
export interface TableSpec {
  readonly name: string;
  readonly strategy: 'expand-contract';
  /** The name of a database in the configuration. */
  readonly target: string;
  /** `schema.table`; each part may be quoted as in SQL. */
  readonly table: string;
  readonly changes: readonly ChangeSpec[];
  /** Default `old-wins`. */
  readonly conflict?: ConflictPolicy;
  readonly backfill?: BackfillSpec;
  /** What keeps the application as quick as it was while rows are rewritten. Default: our own probe, `1.5x`. */
  readonly protect?: ProtectSpec;
  readonly cutover?: CutoverSpec;
  readonly contract?: ContractSpec;
  /** Default `park`. */
  readonly onFailure?: FailurePolicy;
  readonly notify?: NotifySpec;
}

export type ChangeSpec = AddColumnSpec | ChangeTypeSpec | DropColumnSpec | RenameColumnSpec | SetNotNullSpec;

/** A new column. With `up` every row gets a value computed from its other columns. */
export interface AddColumnSpec {
  /** `name type`, for example `note text`. */
  readonly add: string;
  /** SQL expression over the row's columns; immutable. */
  readonly up?: string;
  /** SQL constant that new rows get when they name none. */
  readonly default?: string;
}

/**
 * A column's value in another type: in a column of another name, to which the application moves by itself; or under the
 * same name, then the cutover exchanges the two columns.
 */
export interface ChangeTypeSpec {
  /** The column that is there today. */
  readonly type: string;
  /** `name type` of the new column, for example `amount_cents bigint`. */
  readonly to: string;
  /** New value from the old column; immutable SQL expression. Absent: a cast to the new type. */
  readonly up?: string;
  /** Old value from the new column; immutable SQL expression. Absent: a cast to the old type. */
  readonly down?: string;
  /** Names of indexes and constraints of the old column that do not come along, but go with it. */
  readonly leaveBehind?: readonly string[];
  /**
   * What happens to a write whose new value the old column can't hold. `count` (default): it succeeds, is counted, and
   * going back would lose it. `refuse`: it fails, so that going back stays lossless until the contract.
   */
  readonly misfits?: MisfitPolicy;
}

/** A column under another name. Both names live, with equal values, until the contract. */
export interface RenameColumnSpec {
  /** The column's name today. */
  readonly rename: string;
  /** Its name to be. */
  readonly to: string;
  /** Names of indexes and constraints of the old column that do not come along, but go with it. */
  readonly leaveBehind?: readonly string[];
}

/** A column that goes after its grace. */
export interface DropColumnSpec {
  readonly drop: string;
  /**
   * SQL expression over the row's other columns: the value for rows of writers that no longer name the column. Needed
   * where the column is NOT NULL without a default.
   */
  readonly down?: string;
}

/** A column that may no longer be empty. */
export interface SetNotNullSpec {
  readonly notNull: string;
  /** SQL expression over the row's other columns: the value of rows that have none. Without it every row must have one. */
  readonly up?: string;
}

export interface BackfillSpec {
  /** Rows per second at the most; absent: as fast as the application allows. */
  readonly rate?: number;
}

export interface ProtectSpec {
  /** Name of a metrics source in the configuration, which knows the application's own p99. */
  readonly metrics?: string;
  /** `true`: a statement of our own by key on the same table, timed by us; `false`: nothing is measured. */
  readonly probe?: boolean;
  /** How many times the p99 without us the application's p99 may be, for example `1.5x`. */
  readonly p99?: string;
}

export interface CutoverSpec {
  /** Name or id of a deployment that must have been deployed: the application's own release. */
  readonly after?: string;
  /** Who must say that the application has moved. `true`: any approver; a text: a member of that group. */
  readonly approve?: boolean | string;
  /** What the application may feel, once; a type that changes under its name demands it. */
  readonly accept?: Acceptance;
}

export interface ContractSpec {
  /** How long the old shape is kept after the cutover. Default `7d`. */
  readonly after?: string;
  /** Who must approve. What drops a column always waits for a person; default: any approver, or nobody when nothing is dropped. */
  readonly approve?: boolean | string;
  /** `author`: who started the deployment may not approve the drop. */
  readonly notBy?: 'author';
  /** How many different people must approve; default 1. */
  readonly approvals?: number;
}

/** Tables and services in one plan: the new shape is there before the new version, and the old one goes when nobody needs it. */
export interface JointSpec {
  readonly name: string;
  readonly strategy: 'release';
  /** Each as a spec of `expand-contract` would have it. */
  readonly tables: readonly TablePart[];
  /** Each as a spec of `canary` would have it; one after the other. */
  readonly services: readonly ServicePart[];
  /** Channels that are told of it; absent: the default ones. */
  readonly notify?: NotifySpec;
  /** Default `rollback`. */
  readonly onFailure?: FailurePolicy;
}

export type TablePart = Omit<TableSpec, 'name' | 'strategy' | 'onFailure' | 'notify'>;
export type ServicePart = Omit<CanarySpec, 'name' | 'strategy' | 'onFailure' | 'notify'>;
