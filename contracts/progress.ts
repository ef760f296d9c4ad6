import type { Breaker, Fallback } from './breaker.ts';
import type { EndPhase, OrderName, Phase } from './catalog.ts';
import type { DeploymentEvent } from './events.ts';
import type { Failure } from './failures.ts';
import type { Verdict } from './gate.ts';
import type { Finding } from './plan.ts';
import type { Actor, Order } from './messages.ts';
import type { Running } from './running.ts';
import type { Shadow } from './shadow.ts';

export type * from './breaker.ts';
export type { Running } from './running.ts';
export type { PointerCount, Shadow, SideLatency } from './shadow.ts';

/** How far one stage is. `undone` also stands for stages whose undo found nothing to take back. */
export type StageState = 'pending' | 'running' | 'done' | 'undoing' | 'undone' | 'skipped';

export interface StageProgress {
  readonly name: string;
  readonly state: StageState;
  /** Epoch ms, or null. */
  readonly beganAt: number | null;
  readonly endedAt: number | null;
  /** What it did, in one line for people. */
  readonly note: string | null;
  /** Rows done and rows in all, where the stage goes over rows. */
  readonly rows: number | null;
  readonly totalRows: number | null;
}

/** Where a deployment is. Kept by the workflow, changed only by the functions in `decisions/progress.ts`. */
export interface Progress {
  readonly direction: 'forward' | 'back';
  /** Index of the current stage; `stages.length` when all are done. Going back it counts down, −1 at the end. */
  readonly at: number;
  /** How many stages have been begun: these are owed an undo. */
  readonly begun: number;
  /** Raised before each effect; an older effect is refused by the target. */
  readonly turn: number;
  readonly stages: readonly StageProgress[];
  /** Epoch ms until which the present waiting lasts, or null. */
  readonly deadline: number | null;
  /** Why the present stage is parked, or null. */
  readonly parked: Failure | null;
  /** What the deployment waits for besides time, or null. */
  readonly waitingFor: Waiting | null;
  readonly verdict: Verdict | null;
  /** Why it goes back, once it does. */
  readonly because: string | null;
  readonly wayBack: WayBack;
  readonly findings: readonly Finding[];
  readonly evidence: Evidence | null;
  readonly approvals: readonly Approval[];
  readonly outcome: Outcome | null;
  /** The pass of a row check that is under way, so that its next slice goes on where the last one ended. */
  readonly pass?: string | null;
  /** Why the present turn is tried again and again; null: it is not. */
  readonly busy?: Failure | null;
  /** What the application has felt of the backfill so far; absent: nobody has looked. */
  readonly felt?: Felt;
  /** Where the traffic goes, in a release; absent: nothing has been moved yet. */
  readonly traffic?: Traffic;
  /** What is known of the candidate's dependencies; absent: it has none, or nobody has looked yet. */
  readonly breakers?: readonly Breaker[];
  /** The share was taken home because of an open breaker; null or absent: it is where the plan has it. */
  readonly fallback?: Fallback | null;
  /** How far the asking of a new side is, so that a new run goes on counting; null or absent: at its begin. */
  readonly asked?: Asked | null;
  /** What a shadow has compared so far; absent: nothing. */
  readonly shadow?: Shadow | null;
  /** Queries that run where no new ones are sent any more, or are not to be; null or absent: none is waited for. */
  readonly running?: Running | null;
  /** A person has answered to CLAIM_GONE: what cannot be undone for want of a claim is owed no more. */
  readonly claimGone?: boolean;
}

/** How often a new side was asked. */
export interface Asked {
  readonly tries: number;
  /** Good answers since the last bad one. */
  readonly inRow: number;
  /** What was wrong the last time that something was. */
  readonly because: string;
  /** Bad answers since the last good one; absent: it was not counted. */
  readonly badInRow?: number;
}

/** The candidate's share of the traffic. */
export interface Traffic {
  /** Whole percent, as it was last read back; null: somebody else has written something else. */
  readonly weight: number | null;
  /** The share that was last seen, 0 to 1; null: not measured. */
  readonly seen: number | null;
  /** Of how many requests. */
  readonly requests: number | null;
  /** Since when it is where it should be, epoch ms; null: it is not yet. */
  readonly since: number | null;
  /** How often somebody else's change of the route was put right. */
  readonly repairs: number;
  /** When it was last looked at, epoch ms. */
  readonly lookedAt: number;
  /** Since when its checks have had no data (epoch ms), and why; null or absent: they have. */
  readonly blind?: { readonly since: number; readonly because: string } | null;
  /** Since when its checks have held it beyond its time, epoch ms; null or absent: they have not. */
  readonly heldSince?: number | null;
  /** Since when no pod of the side that gets the share has been ready, epoch ms; null or absent: one is. */
  readonly deadSince?: number | null;
}

/** What the application felt while rows were rewritten. Null: not measured, which is not 0. */
export interface Felt {
  /** What was asked: `our own probe`, or the name of a metrics source; null: nothing. */
  readonly by: string | null;
  /** p99 of the application without us, ms; the mean over the time that was measured. */
  readonly p99AloneMs: number | null;
  /** p99 beside our bursts, ms; the mean over the time that was measured. */
  readonly p99BesideMs: number | null;
  /** For how long the p99 beside us was measured, ms. */
  readonly measuredMs: number;
  /** The longest that one statement of the probe took beside us, ms. */
  readonly longestMs: number | null;
  /** Sessions that were seen waiting for a lock of ours, in looks once a second. */
  readonly lockWaits: number | null;
  /** Deadlocks in the whole database meanwhile, whoever was in them. */
  readonly deadlocks: number | null;
  /** Errors of the application meanwhile, whoever caused them. */
  readonly errors: number | null;
}

export interface Waiting {
  readonly what: 'approval' | 'proof';
  readonly stage: string;
  readonly detail: string;
}

/** Whether one can still go back, and what it would lose. */
export interface WayBack {
  readonly verdict: 'lossless' | 'losing' | 'no';
  /** Rows that going back would lose; 0 when lossless; null when it was not measured. */
  readonly rows: number | null;
  readonly because: string;
  /** Since when, epoch ms. */
  readonly since: number;
  /** When it was last looked at, epoch ms. */
  readonly lookedAt: number;
}

/** What was known when an approval was asked for. The hash is over the facts. */
export interface Evidence {
  readonly stage: string;
  readonly hash: string;
  readonly findings: readonly Finding[];
  readonly gatheredAt: number;
}

export interface Approval {
  readonly stage: string;
  readonly actor: Actor;
  readonly reason: string;
  readonly planHash: string;
  readonly evidenceHash: string | null;
  readonly at: number;
}

export interface Outcome {
  readonly phase: EndPhase;
  readonly because: string;
  readonly at: number;
}

/** The operator's side: what has been ordered and not yet been carried out. */
export interface DeskState {
  readonly paused: boolean;
  readonly pausedBy: string | null;
  /** Rows per second, null: no bound; undefined: never ordered. */
  readonly rate?: number | null;
  /** The order that overrules verdicts, waiting to be carried out. */
  readonly pending: Order | null;
  /** Ids of orders that were taken, latest last, at most 200. */
  readonly takenIds: readonly string[];
}

/** What a run hands to the next one. */
export interface Carried {
  readonly progress: Progress;
  readonly desk: DeskState;
  /** Sequence number of the last event given to the ledger. */
  readonly eventSeq: number;
  /** Events that the ledger has not confirmed yet. */
  readonly outbox?: readonly DeploymentEvent[];
  /** False: the ledger has not confirmed the plan yet. */
  readonly planRecorded?: boolean;
}

/** What people and programs see of a deployment. */
export interface Status {
  readonly id: string;
  readonly name: string;
  readonly target: string;
  readonly strategy: string;
  readonly planHash: string;
  readonly phase: Phase;
  /** The current stage's name; null when it has ended. */
  readonly stage: string | null;
  readonly paused: boolean;
  /** Rows per second at the most by order or plan, or null. */
  readonly rate: number | null;
  readonly progress: Progress;
  /** The orders that would be taken now. */
  readonly possible: readonly OrderName[];
  readonly startedBy: Actor;
  readonly startedAt: number;
  /** Epoch ms of the last change. */
  readonly changedAt: number;
}
