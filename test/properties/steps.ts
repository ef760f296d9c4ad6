import type { BackfillFacts, CheckFacts, ClaimResult, LookResult } from '../../contracts/activities.ts';
import type { SqlActivities } from '../../activities/sql/index.ts';
import type { Alteration, BuildStep, TablePlan, RowCheck, Statement } from '../../contracts/plan.ts';
import { stageOf } from '../support/sql-world.ts';
import type { Carrier } from './carrier.ts';

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

/** What a deployment does at one place of its way; null where there is nothing to do. */
export type Step = (carrier: Carrier) => Effect | null;

/** A check in slices of a few rows. */
function inSmallSlices(check: RowCheck): RowCheck {
  const { slices } = check;
  return { ...check, slices: slices.by === 'pages' ? { ...slices, pages: 2 } : { ...slices, rows: 9 } };
}

export const claim: Step = (carrier) => {
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

export const check =
  (
    what: string,
    checkOf: (plan: TablePlan) => RowCheck | null,
    then: (carrier: Carrier, facts: CheckFacts) => void,
  ): Step =>
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

export const orPark = (carrier: Carrier, { wrong }: CheckFacts): void => {
  if (wrong === 0) carrier.done();
  else carrier.park('VERIFY_DIFFERS');
};

export const alter =
  (what: string, stage: string, alterationOf: (plan: TablePlan) => Alteration): Step =>
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

export const long =
  (what: string, statementsOf: (plan: TablePlan) => readonly Statement[]): Step =>
  (carrier) => {
    const statements = statementsOf(carrier.plan);
    if (statements.length === 0) return null;
    const site = carrier.site();
    return { activity: 'alterLong', turn: site.turn, what, input: { site, statements }, take: () => carrier.done() };
  };

export const backfill: Step = (carrier) => {
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

export const gate: Step = (carrier) => {
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

export const holdColumns =
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

export const raise =
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

export const release =
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
export const buildStep =
  (one: BuildStep): Step =>
  (carrier) => {
    carrier.begin('build');
    if (one.step === 'alter') return alter('build', 'build', () => one.alteration)(carrier);
    if (one.step === 'long') return long('build: long', () => one.statements)(carrier);
    const site = carrier.site();
    const input = { site, stage: 'build', index: one.index };
    return { activity: 'buildIndex', turn: site.turn, what: 'build', input, take: () => carrier.done() };
  };
