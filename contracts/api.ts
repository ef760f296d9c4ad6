import type { EndPhase, ExportForm, Phase } from './catalog.ts';
import type { FailureCode } from './failures.ts';
import type { LiveProgress, DeploymentEvent } from './events.ts';
import type { Finding, Plan } from './plan.ts';
import type { Felt, Shadow, Status, Traffic } from './progress.ts';

/** RFC 9457. `errors` lists all problems of a request at once. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: FailureCode;
  readonly detail: string;
  /** The request's id. */
  readonly instance: string;
  readonly errors?: readonly FieldProblem[];
  /** Orders that would be possible, when one was refused. */
  readonly possible?: readonly string[];
  /** The deployment in the way. */
  readonly holder?: string;
  /** What was found in the target, when it does not allow the plan. */
  readonly findings?: readonly Finding[];
}

export interface FieldProblem {
  /** JSON pointer into the request's body. */
  readonly pointer: string;
  readonly detail: string;
  /** The nearest name that exists, when a name was not known. */
  readonly didYouMean?: string;
}

/** What became of one spec of many that were applied together. */
export interface ApplyResult {
  readonly name: string;
  /**
   * `started`; `start`: it would be, were this not a dry run; `unchanged`: this very spec is under way or has ended, see
   * `phase`; `later`: its table is taken, which `because` says by whom.
   */
  readonly action: 'started' | 'start' | 'unchanged' | 'later';
  /** Id of its deployment; null: it has none. */
  readonly deployment: string | null;
  readonly phase: Phase | null;
  readonly because: string | null;
}

/** What became of each spec, in their order. */
export interface ApplyAnswer {
  readonly results: readonly ApplyResult[];
}

/** One deployment as the API shows it. */
export interface DeploymentView {
  readonly status: Status;
  /** Number of the last event that this view takes in. */
  readonly seq?: number;
  readonly live: LiveProgress | null;
  readonly links: {
    readonly self: string;
    readonly events: string;
    readonly report: string;
    readonly temporal: string;
  };
}

/** A deployment in a list. */
export interface DeploymentSummary {
  readonly id: string;
  readonly name: string;
  readonly target: string;
  readonly strategy: string;
  readonly phase: Phase;
  readonly stage: string | null;
  readonly startedBy: string;
  readonly startedAt: number;
  readonly changedAt: number;
}

export interface DeploymentPage {
  readonly deployments: readonly DeploymentSummary[];
  /** Hand it back as `cursor` for the next page; null: this is the last. */
  readonly next: string | null;
}

/** What happened, from the ledger alone. */
export interface Report {
  readonly id: string;
  readonly plan: Plan;
  readonly outcome: { readonly phase: EndPhase; readonly because: string; readonly at: number } | null;
  readonly phase: Phase;
  readonly stages: readonly {
    readonly name: string;
    readonly state: string;
    readonly ms: number | null;
    readonly rows: number | null;
    readonly note: string | null;
  }[];
  readonly decisions: readonly DeploymentEvent[];
  readonly approvals: readonly {
    readonly stage: string;
    readonly by: string;
    readonly at: number;
    readonly reason: string;
  }[];
  /** Where the traffic went when it was last looked at; absent or null: nothing has been moved. */
  readonly traffic?: Traffic | null;
  /** What the candidate of a shadow has answered beside the stable side; absent or null: nothing was compared. */
  readonly shadow?: Shadow | null;
  /** What the application felt, as far as it was measured; null: not measured. */
  readonly application: {
    /** 0 only where errors were counted and there were none; null: not measured, or some whose cause is not known. */
    readonly errorsCaused: number | null;
    readonly longestLockMs: number | null;
    /** What was measured while rows were rewritten; absent or null: nothing. */
    readonly felt?: Felt | null;
  };
}

export interface TargetView {
  readonly name: string;
  readonly dialect: string;
  readonly taskQueue: string;
}

/** One statement that gives our role a right. */
export interface Grant {
  readonly id: 'role' | 'connect' | 'owner' | 'home' | 'temporary' | 'activity' | 'statements' | 'log';
  readonly sql: string;
  /** What it is good for, or what is refused without it. */
  readonly note: string;
  readonly needed: boolean;
  /** Whether it has been given already; null: nobody could see. */
  readonly there: boolean | null;
}

/** The rights that our role needs in a target, least first. */
export interface GrantsView {
  readonly target: string;
  readonly role: string;
  /** `schema.table`, or null when none was named: then the membership in its owner is missing from the list. */
  readonly table: string | null;
  readonly grants: readonly Grant[];
}

/** A script that takes a half-done change back, or finishes it, by hand. */
export interface EjectView {
  readonly id: string;
  readonly way: 'back' | 'finish';
  /** Where the ledger believes the deployment to be; null: nobody has told. */
  readonly stage: string | null;
  readonly sql: string;
}

/** A finished change as a migration of another tool. */
export interface ExportView {
  readonly id: string;
  readonly form: ExportForm;
  /** Where that tool looks for it. */
  readonly path: string;
  readonly text: string;
  /** How it is kept from running where the change is made already. */
  readonly how: string;
}
