import type { CheckFacts, Site } from '../../contracts/activities.ts';
import type { BackfillStage, TablePlan } from '../../contracts/plan.ts';
import { stageOf } from '../support/sql-world.ts';
import type { Effect, Outcome, Step } from './steps.ts';
import { stepsBack, stepsForward } from './forward-and-back.ts';

/** How small a stage works in the test, so that a few rows have many chunks and slices. */
export interface Size {
  readonly superPages: number;
  readonly pagesAtOnce: number;
}

/** Drives a deployment as the workflow does: which effect comes next, and what its facts lead to. */
export class Carrier {
  readonly plan: TablePlan;
  readonly deployment: string;
  readonly #homeSchema: string;
  readonly #size: Size;
  #turn = 0;
  #steps: Step[];
  #pending: Effect | null = null;
  #begun = new Set<string>();
  outcome: Outcome = 'under way';
  direction: 'forward' | 'back' = 'forward';
  /** Why it does not go on by itself. */
  parked: string | null = null;
  /** What the last finished row check said. */
  checked: CheckFacts | null = null;
  backfilled = false;

  constructor(plan: TablePlan, deployment: string, homeSchema: string, size: Size) {
    this.plan = plan;
    this.deployment = deployment;
    this.#homeSchema = homeSchema;
    this.#size = size;
    this.#steps = [...stepsForward(plan)];
  }

  /** The effect that is due; the same one again until its facts were taken. */
  next(): Effect | null {
    while (this.#pending === null) {
      const [step] = this.#steps;
      if (step === undefined) return null;
      this.#pending = step(this);
      if (this.#pending === null) this.done();
    }
    return this.#pending;
  }

  take(effect: Effect, facts: unknown): void {
    if (this.#pending !== effect) return;
    this.#pending = null;
    this.parked = null;
    effect.take(facts);
  }

  /** The effect failed for good: a person has to look; the next try is a new turn. */
  park(because: string): void {
    this.parked = because;
    this.#pending = null;
  }

  /** Everything that was begun is taken back, latest first; not once the contract has begun. */
  back(): boolean {
    if (this.direction === 'back' || this.outcome !== 'under way' || this.#begun.has('contract')) return false;
    const claimed = this.#steps.length < stepsForward(this.plan).length;
    this.direction = 'back';
    this.parked = null;
    this.#steps = stepsBack(this.plan, claimed ? this.#begun : null);
    if (claimed) this.#pending = null;
    return true;
  }

  done(): void {
    this.#steps.shift();
  }

  /** From here on its undo is owed. */
  begin(stage: string): void {
    this.#begun.add(stage);
  }

  site(turn = (this.#turn += 1)): Site {
    return { deployment: this.deployment, target: 'shop', homeSchema: this.#homeSchema, turn };
  }

  /** A backfill stage of few pages and short waits. */
  backfillStage(): BackfillStage {
    const stage = stageOf(this.plan, 'backfill');
    return {
      ...stage,
      superPages: this.#size.superPages,
      rowsPerPage: Math.ceil((50 * stage.stripes) / this.#size.pagesAtOnce),
      presence: { ...stage.presence, sql: 'SELECT 1::float8 AS busy' },
      session: stage.session.map((set) =>
        set.id === 'lock_timeout' ? { ...set, sql: `SET lock_timeout = '2ms'` } : set,
      ),
      // in slices this short nobody could measure what the application feels, and each would wait for that
      protect: null,
      sliceMs: 400,
    };
  }
}
