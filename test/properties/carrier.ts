import type { BackfillFacts, CheckFacts, ClaimResult, LookResult, Site } from '../../contracts/activities.ts';
import type { SqlActivities } from '../../activities/sql/index.ts';
import type {
  Alteration,
  BackfillStage,
  BuildStage,
  BuildStep,
  Plan,
  RowCheck,
  Statement,
} from '../../contracts/plan.ts';
import { stageOf } from '../support/sql-world.ts';

/** One activity with its input: what Temporal delivers, once or more often. */
export interface Effect {
  readonly activity: keyof SqlActivities;
  readonly turn: number;
  readonly input: unknown;
  /** What the deployment does with the facts. */
  readonly take: (facts: unknown) => void;
  /** What it is about, for people and for what the test expects. */
  readonly what: string;
}

/** How a deployment stands. `parked`: a person is called; going on tries the same stage again. */
export type Outcome = 'under way' | 'deployed' | 'rolled back';

/** How small a stage works in the test, so that a few rows have many chunks and slices. */
export interface Size {
  readonly superPages: number;
  readonly pagesAtOnce: number;
}

type Step = (carrier: Carrier) => Effect | null;

/** Drives a deployment as the workflow does: which effect comes next, and what its facts lead to. */
export class Carrier {
  readonly plan: Plan;
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

  constructor(plan: Plan, deployment: string, homeSchema: string, size: Size) {
    this.plan = plan;
    this.deployment = deployment;
    this.#homeSchema = homeSchema;
    this.#size = size;
    this.#steps = [...this.#forward()];
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
    const claimed = this.#steps.length < this.#forward().length;
    this.direction = 'back';
    this.parked = null;
    this.#steps = [...(claimed ? this.#undo() : [claim]), release('rolled back')];
    if (claimed) this.#pending = null;
    return true;
  }

  #forward(): readonly Step[] {
    return [...beforeBuild, ...(this.#build()?.steps ?? []).map(buildStep), ...afterBuild];
  }

  #build(): BuildStage | undefined {
    return this.plan.stages.find((stage): stage is BuildStage => stage.kind === 'build');
  }

  #undo(): readonly Step[] {
    const { undo, undoLong } = stageOf(this.plan, 'expand');
    const built = this.#build();
    return [
      ...(this.#begun.has('cutover')
        ? [
            raise('undo cutover'),
            holdColumns(false, 'widen before the undo'),
            ...stageOf(this.plan, 'cutover').undo.map((alteration) =>
              alter('undo cutover', 'cutover', () => alteration),
            ),
          ]
        : []),
      ...(built !== undefined && this.#begun.has('build')
        ? [raise('undo build'), ...built.undo.map((alteration) => alter('undo build', 'build', () => alteration))]
        : []),
      ...(this.#begun.has('expand')
        ? [
            raise('undo expand'),
            ...undo.map((alteration) => alter('undo expand', 'expand', () => alteration)),
            long('undo expand: long', () => undoLong),
          ]
        : []),
    ];
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

/** A check in slices of a few rows. */
function inSmallSlices(check: RowCheck): RowCheck {
  const { slices } = check;
  return { ...check, slices: slices.by === 'pages' ? { ...slices, pages: 2 } : { ...slices, rows: 9 } };
}

const claim: Step = (carrier) => {
  const site = carrier.site();
  return {
    activity: 'claim',
    turn: site.turn,
    what: 'claim',
    input: { site, plan: carrier.plan },
    take: (facts) => {
      if (!(facts as ClaimResult).held) throw new Error('the table is taken');
      carrier.done();
    },
  };
};

const check =
  (what: string, checkOf: (plan: Plan) => RowCheck | null, then: (carrier: Carrier, facts: CheckFacts) => void): Step =>
  (carrier) => {
    const rows = checkOf(carrier.plan);
    if (rows === null) return null;
    const site = carrier.site();
    const pass = `${what}-${site.turn}`;
    return {
      activity: 'checkRows',
      turn: site.turn,
      what,
      input: { site, stage: what, check: inSmallSlices(rows), pass, rows: null, sliceMs: 60_000 },
      take: (facts) => {
        carrier.checked = facts as CheckFacts;
        then(carrier, carrier.checked);
      },
    };
  };

const orPark = (carrier: Carrier, { wrong }: CheckFacts): void => {
  if (wrong === 0) carrier.done();
  else carrier.park('VERIFY_DIFFERS');
};

const alter =
  (what: string, stage: string, alterationOf: (plan: Plan) => Alteration): Step =>
  (carrier) => {
    const site = carrier.site();
    if (!what.startsWith('undo')) carrier.begin(what);
    return {
      activity: 'alter',
      turn: site.turn,
      what,
      input: { site, stage, alteration: alterationOf(carrier.plan) },
      take: () => carrier.done(),
    };
  };

const long =
  (what: string, statementsOf: (plan: Plan) => readonly Statement[]): Step =>
  (carrier) => {
    const statements = statementsOf(carrier.plan);
    if (statements.length === 0) return null;
    const site = carrier.site();
    return { activity: 'alterLong', turn: site.turn, what, input: { site, statements }, take: () => carrier.done() };
  };

const backfill: Step = (carrier) => {
  if (!stageOf(carrier.plan, 'backfill').needed) return null;
  const site = carrier.site();
  const stage = carrier.backfillStage();
  return {
    activity: 'backfill',
    turn: site.turn,
    what: 'backfill',
    input: { site, stage, rows: null },
    take: (facts) => {
      if (!(facts as BackfillFacts).finished) return;
      carrier.backfilled = true;
      carrier.done();
    },
  };
};

const gate: Step = (carrier) => {
  const { wayBack } = stageOf(carrier.plan, 'cutover');
  return {
    activity: 'look',
    turn: 0,
    what: 'gate',
    input: { target: 'shop', statements: [wayBack], mode: 'read-only' },
    take: (facts) => {
      const found = (facts as Record<string, LookResult>)[wayBack.id];
      if (found?.ok !== true) throw new Error('the way back can not be seen');
      if (Number(found.rows[0]?.['misfits']) === 0) carrier.done();
      else carrier.park('GATE_HELD');
    },
  };
};

const holdColumns =
  (columnsOnly: boolean, what: string): Step =>
  (carrier) => {
    const site = carrier.site();
    return {
      activity: 'holdColumnsOnly',
      turn: site.turn,
      what,
      input: { site, columnsOnly },
      take: () => carrier.done(),
    };
  };

const raise =
  (what: string): Step =>
  (carrier) => {
    const site = carrier.site();
    return {
      activity: 'raiseFence',
      turn: site.turn,
      what: `${what}: fence`,
      input: { site },
      take: () => carrier.done(),
    };
  };

const release =
  (outcome: Outcome): Step =>
  (carrier) => {
    const site = carrier.site();
    return {
      activity: 'release',
      turn: site.turn,
      what: 'release',
      input: { site },
      take: () => {
        carrier.done();
        carrier.outcome = outcome;
      },
    };
  };

/** What hangs on the old column is made on the new one. */
const buildStep =
  (one: BuildStep): Step =>
  (carrier) => {
    carrier.begin('build');
    if (one.step === 'alter') return alter('build', 'build', () => one.alteration)(carrier);
    if (one.step === 'long') return long('build: long', () => one.statements)(carrier);
    const site = carrier.site();
    const input = { site, stage: 'build', index: one.index };
    return { activity: 'buildIndex', turn: site.turn, what: 'build', input, take: () => carrier.done() };
  };

const beforeBuild: readonly Step[] = [
  claim,
  check('preflight', (plan) => stageOf(plan, 'preflight').everyRow, orPark),
  alter('expand', 'expand', (plan) => stageOf(plan, 'expand').perform),
  backfill,
];
const afterBuild: readonly Step[] = [
  check('verify', (plan) => stageOf(plan, 'verify').check, orPark),
  gate,
  alter('cutover', 'cutover', (plan) => stageOf(plan, 'cutover').perform),
  long('cutover: long', (plan) => stageOf(plan, 'cutover').performLong ?? []),
  holdColumns(true, 'narrow'),
  check('grace', (plan) => stageOf(plan, 'grace').check, orPark),
  check('before the contract', (plan) => stageOf(plan, 'contract').check, orPark),
  holdColumns(false, 'widen'),
  alter('contract', 'contract', (plan) => stageOf(plan, 'contract').perform),
  long('contract: long', (plan) => stageOf(plan, 'contract').performLong ?? []),
  release('deployed'),
];
