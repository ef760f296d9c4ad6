import type { Stage } from '../../contracts/plan.ts';
import type { Progress } from '../../contracts/progress.ts';
import { endPhaseOf, phaseOf } from '../../decisions/phase.ts';
import * as p from '../../decisions/progress.ts';
import { testPlan } from '../support/plans.ts';

const plan = testPlan();
const names = plan.stages.map(({ name }) => name);
const start = p.notStarted(plan, 1_000);
/** Where a deployment is that has done everything up to the stage `at`, which has begun. */
const inStage = (at: number): Progress => {
  let progress = start;
  for (let i = 0; i < at; i++) progress = p.advance(p.begin(p.arrive(progress, 1_000)), 2_000, null);
  return p.begin(p.arrive(progress, 3_000));
};

const withoutRetry = (stage: Stage): Stage => {
  if (stage.kind !== 'verify') return stage;
  const { retryFrom: _, ...of } = stage;
  return of;
};

describe('progress', () => {
  test('begins with nothing done, nothing owed and a lossless way back', () => {
    expect(start).toMatchObject({ direction: 'forward', at: 0, begun: 0, turn: 0, wayBack: { verdict: 'lossless' } });
    expect(start.stages.map(({ state }) => state)).toEqual(names.map(() => 'pending'));
    expect(p.undoOwed(plan, start)).toEqual([]);
  });

  test('owes the undo of a stage from its begin, not from its end', () => {
    const arrived = p.arrive(start, 1_000);
    expect(p.undoOwed(plan, arrived)).toEqual([]);
    expect(p.undoOwed(plan, p.begin(arrived)).map(({ name }) => name)).toEqual(['preflight']);
  });

  test.each(names.map((name, at) => [name, at] as const))(
    'going back from %s, undoes the latest first',
    (_name, at) => {
      let progress = p.turnBack(inStage(at), 'a person said so', 4_000);
      const undone: string[] = [];
      while (p.currentStage(plan, progress) !== null) {
        expect(p.undoOwed(plan, progress).map(({ name }) => name)).toEqual(names.slice(0, progress.at + 1).reverse());
        undone.push(p.currentStage(plan, progress)?.name ?? '');
        progress = p.endUndo(p.beginUndo(progress), 5_000);
      }
      expect(undone).toEqual(names.slice(0, at + 1).reverse());
      expect(progress.at).toBe(-1);
      expect(p.undoOwed(plan, progress)).toEqual([]);
      expect(progress.stages.slice(0, at + 1).every(({ state }) => state === 'undone')).toBe(true);
    },
  );

  test('has nothing to undo for a stage that only waited', () => {
    const waiting = p.arrive(p.advance(inStage(3), 4_000, null), 4_000);
    const back = p.turnBack(waiting, 'rejected', 5_000);
    expect(p.currentStage(plan, back)?.name).toBe('verify');
    expect(back.stages[4]).toMatchObject({ name: 'cutover', state: 'undone' });
  });

  test('forgets deadline, parking, waiting and row check when it moves on or turns back', () => {
    const busy = p.inPass(p.park(p.waitUntil(inStage(5), 9_000), { code: 'VERIFY_DIFFERS', detail: '' }), 'grace-7');
    const rest = { deadline: null, parked: null, waitingFor: null, pass: null };
    expect(p.advance(busy, 4_000, null)).toMatchObject({ at: 6, ...rest });
    expect(p.turnBack(busy, 'because', 4_000)).toMatchObject({ at: 5, because: 'because', ...rest });
  });

  describe('a retry after rows were found that differ', () => {
    const differ = { code: 'VERIFY_DIFFERS', detail: '' } as const;
    const waiting = p.arrive(p.advance(inStage(3), 4_000, null), 4_000);
    const back = (progress: Progress) => p.retry(plan, p.park(progress, differ));

    test.each([
      ['in verify', inStage(3)],
      ['in a cutover that has not begun', waiting],
    ])('%s goes on from the backfill, whose undo is owed as before', (_where, progress) => {
      const after = back(progress);
      expect(p.currentStage(plan, after)?.name).toBe('backfill');
      expect(after.stages.map(({ state }) => state)).toEqual(['done', 'done', ...names.slice(2).map(() => 'pending')]);
      expect(after.begun).toBe(progress.begun);
      expect(after).toMatchObject({ parked: null, pass: null });
    });

    test.each([
      ['once the cutover has begun', inStage(4), plan],
      ['in grace, when the new shape leads', inStage(5), plan],
      ['on the way back', p.turnBack(inStage(3), 'why', 4_000), plan],
      ['of a plan that knows no such way', inStage(3), { ...plan, stages: plan.stages.map(withoutRetry) }],
    ])('%s goes on where it is', (_where, progress, of) => {
      expect(p.retry(of, p.park(progress, differ))).toMatchObject({ at: progress.at, parked: null });
    });

    test('goes on where it is after any other failure', () => {
      expect(p.retry(plan, p.park(inStage(3), { code: 'SQL_FAILED', detail: '' })).at).toBe(3);
    });
  });

  test('passes the point of no return when the stage without an undo begins, and not when it only waits', () => {
    const waiting = p.arrive(p.advance(inStage(5), 4_000, null), 4_000);
    expect(p.pastNoReturn(plan, waiting)).toBe(false);
    expect(p.pastNoReturn(plan, p.begin(waiting))).toBe(true);
  });

  test('keeps the note of a stage that ends without a new one', () => {
    const noted = { ...inStage(0), stages: start.stages.map((stage) => ({ ...stage, note: 'ended early' })) };
    expect(p.advance(noted, 4_000, null).stages[0]).toMatchObject({ note: 'ended early', endedAt: 4_000 });
  });

  test('expects the stage beside it at either end, and none after the end', () => {
    const before = p.turnBack(start, 'refused', 2_000);
    const after = { ...start, at: names.length };
    expect(p.expectedStage(plan, before)).toBe('preflight');
    expect(p.expectedStage(plan, after)).toBe('contract');
    expect(p.expectedStage(plan, p.end(after, { phase: 'deployed', because: '', at: 3_000 }))).toBeNull();
  });

  test('counts a running stage by its rows', () => {
    expect(p.percentOf(start)).toBe(0);
    expect(p.percentOf(p.countRows(inStage(2), 500, 1_000))).toBe(Math.floor((2.5 / 7) * 100));
    expect(p.percentOf(p.countRows(inStage(2), 2_000, 1_000))).toBe(Math.floor((3 / 7) * 100));
  });
});

describe('the phase', () => {
  test.each([
    ['starting', start, false],
    ['checking', inStage(0), false],
    ['expanding', inStage(1), false],
    ['backfilling', inStage(2), false],
    ['verifying', inStage(3), false],
    ['cutting-over', inStage(4), false],
    ['in-grace', inStage(5), false],
    ['contracting', inStage(6), false],
    ['contracting', { ...inStage(6), at: 7 }, false],
    ['paused', inStage(2), true],
    ['waiting-for-proof', p.waitFor(inStage(4), { what: 'proof', stage: 'cutover', detail: '' }), false],
    ['waiting-for-approval', p.waitFor(inStage(6), { what: 'approval', stage: 'contract', detail: '' }), false],
    ['paused', p.waitFor(inStage(6), { what: 'approval', stage: 'contract', detail: '' }), true],
    ['needs-attention', p.park(inStage(3), { code: 'VERIFY_DIFFERS', detail: '' }), true],
    ['rolling-back', p.turnBack(inStage(3), 'why', 1), true],
    ['needs-attention', p.park(p.turnBack(inStage(3), 'why', 1), { code: 'SQL_FAILED', detail: '' }), false],
    ['rolled-back', p.end(inStage(3), { phase: 'rolled-back', because: '', at: 1 }), true],
  ] as const)('is %s (%#)', (phase, progress, paused) => {
    expect(phaseOf(plan, progress, paused)).toBe(phase);
  });

  test('at the end tells a refusal from a rollback', () => {
    const back = p.turnBack(inStage(0), 'refused', 1);
    const refused = { code: 'RIGHTS_MISSING', level: 'refused', detail: '' } as const;
    expect(endPhaseOf({ ...back, findings: [refused] })).toBe('refused');
    expect(endPhaseOf({ ...back, findings: [{ ...refused, level: 'warned' }] })).toBe('rolled-back');
    expect(endPhaseOf(inStage(6))).toBe('deployed');
  });
});
