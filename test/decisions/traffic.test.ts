import { agrees } from '../../decisions/agrees.ts';
import { possibleOrders } from '../../decisions/orders.ts';
import { phaseOf } from '../../decisions/phase.ts';
import * as p from '../../decisions/progress.ts';
import { sentTo } from '../../decisions/releases/sent-to.ts';
import { emptyDesk } from '../../decisions/take-order.ts';
import * as t from '../../decisions/traffic.ts';
import type { OrderName, Phase } from '../../contracts/catalog.ts';
import type { Plan } from '../../contracts/plan.ts';
import type { Progress } from '../../contracts/progress.ts';
import { blueGreenPlan, canaryPlan } from '../support/release-plans.ts';

describe('whether what was seen agrees with a weight', () => {
  const holds = (weight: number, candidate: number, stable: number, unknown = 0): boolean =>
    agrees(weight, { candidate, stable, unknown }).holds;

  test.each([
    ['half of them at 50 %', 50, 500, 500, true],
    ['a lucky half at 50 %', 50, 455, 545, true],
    ['far too few at 50 %', 50, 400, 600, false],
    ['far too many at 50 %', 50, 600, 400, false],
    // P(X <= 6) = 0.00010…, P(X <= 5) = 0.00003… for X ~ B(400, 5 %)
    ['just enough at 5 %', 5, 7, 393, true],
    ['just too few at 5 %', 5, 5, 395, false],
    // P(X >= 38) = 0.0001…, P(X >= 40) < 0.0001 for the same
    ['not too many at 5 %', 5, 36, 364, true],
    ['too many at 5 %', 5, 40, 360, false],
    ['none at 1 % of 400, which happens', 1, 0, 400, true],
    ['none at 5 % of 400, which does not', 5, 0, 400, false],
    ['none at 0 %', 0, 0, 400, true],
    ['one at 0 %', 0, 1, 399, false],
    ['all at 100 %', 100, 400, 0, true],
    ['all but one at 100 %', 100, 399, 1, false],
    ['nobody', 50, 0, 0, false],
  ])('%s: %i %%, %i to %i', (_what, weight, candidate, stable, expected) => {
    expect(holds(weight, candidate, stable)).toBe(expected);
  });

  test.each([
    [20, true],
    [22, false],
  ])('answers of nobody known: %i of 420', (unknown, expected) => {
    expect(holds(100, 400, 0, unknown)).toBe(expected);
    expect(agrees(100, { candidate: 400, stable: 0, unknown }).because).toContain(`, ${unknown} by nobody known`);
  });

  test('millions of requests do not make a rounding of the router significant, nor take any time', () => {
    const began = performance.now();
    expect(holds(5, 5_100_000, 94_900_000)).toBe(true);
    expect(holds(5, 10_000_000, 90_000_000)).toBe(false);
    expect(holds(50, 400_000_000, 600_000_000)).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test('is the binomial distribution: what is refused at a weight has a chance below 0.0001 on its side', () => {
    for (const weight of [1, 5, 25, 50, 75, 99]) {
      const chances = binomial(200, weight / 100);
      for (let candidate = 0; candidate <= 200; candidate++) {
        const low = sum(chances.slice(0, candidate + 1));
        const high = sum(chances.slice(candidate));
        const near = [low, high].some((chance) => Math.abs(chance / 1e-4 - 1) < 1e-6);
        if (!near)
          expect([weight, candidate, holds(weight, candidate, 200 - candidate)]).toEqual([
            weight,
            candidate,
            low >= 1e-4 && high >= 1e-4,
          ]);
      }
    }
  });
});

/** The chances of 0 to `count`, by Pascal's rule, another way than the code's. */
function binomial(count: number, share: number): number[] {
  let row = [1];
  for (let n = 0; n < count; n++)
    row = [...row, 0].map((chance, k) => chance * (1 - share) + (row[k - 1] ?? 0) * share);
  return row;
}
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const canary = canaryPlan('q', { keepOld: '1h' });
const blueGreen = blueGreenPlan('q');
const inStage = (plan: Plan, name: string): Progress => {
  let progress = p.notStarted(plan, 1_000);
  while (p.currentStage(plan, progress)?.name !== name)
    progress = p.advance(p.begin(p.arrive(progress, 1_000)), 2_000, null);
  return p.begin(p.arrive(progress, 3_000));
};

describe('what is kept of the traffic', () => {
  const start = inStage(canary, 'weight-50');
  const read = (weight: number | null, progress = start, now = 5_000) =>
    t.routed(progress, { weight, because: '' }, now);

  test('is the weight that was read, and the share that was seen; nobody seen is not 0', () => {
    expect(read(50).traffic).toEqual({
      weight: 50,
      seen: null,
      requests: null,
      since: null,
      repairs: 0,
      lookedAt: 5_000,
    });
    expect(t.counted(read(50), { candidate: 1, stable: 3, unknown: 9 }, 6_000).traffic).toMatchObject({
      seen: 0.25,
      requests: 4,
      lookedAt: 6_000,
    });
    expect(t.counted(read(50), { candidate: 0, stable: 0, unknown: 9 }, 6_000).traffic).toMatchObject({
      seen: null,
      requests: 0,
    });
  });

  test('is contended after three repairs, and who tries again begins anew', () => {
    let progress = p.waitUntil(t.inPlace(read(50), 6_000), 9_000);
    for (const contended of [false, false, true]) {
      progress = t.repaired(progress);
      expect(t.isContended(progress)).toBe(contended);
    }
    expect(t.anew(progress)).toMatchObject({ deadline: null, traffic: { repairs: 0, since: null, weight: 50 } });
  });

  test.each([
    [0, 0, false],
    [0.01, 0, true],
    [null, 0, false],
    [1, 100, false],
    [0.9, 100, true],
  ])('seen %p at %p %% is elsewhere: %p', (seen, weight, expected) => {
    const progress = read(weight);
    expect(t.isSeenElsewhere({ ...progress, traffic: { ...(progress.traffic ?? never()), seen } }, weight)).toBe(
      expected,
    );
  });

  const gated = { gate: canaryGate(), weight: 50, everyMs: 1_000 };
  const promote = { decision: 'promote', because: '' } as const;
  const over = { ...p.waitUntil(read(50, start, 9_000), 9_000), verdict: promote };
  test.each([
    ['its time is over, and it was looked at since', gated, over, 9_000, true],
    ['its time is not over', gated, { ...over, deadline: 9_001 }, 9_000, false],
    ['it has no time yet', gated, { ...over, deadline: null }, 9_000, false],
    ['nobody has looked since', gated, { ...over, deadline: 9_001 }, 9_002, false],
    ['the route says something else', gated, read(7, over, 9_500), 9_500, false],
    ['the route says nothing that is known', { ...gated, gate: null }, read(null, over, 9_500), 9_500, false],
    ['nobody has looked for long', gated, over, 9_000 + 3_600_000, false],
    ['the checks hold', gated, { ...over, verdict: { decision: 'hold', because: '' } as const }, 9_000, false],
    ['nothing was judged', gated, { ...over, verdict: null }, 9_000, false],
    [
      'nothing was judged, and there is nothing to judge',
      { ...gated, gate: null },
      { ...over, verdict: null },
      9_000,
      true,
    ],
  ])('may end when %s', (_when, stage, progress, now, expected) => {
    expect(t.mayEnd(stage, progress, now)).toBe(expected);
  });

  test.each([
    ['as often as asked', 60_000, 999_000, 5_000, false, 60_000],
    ['never so seldom that the activity would time out', 86_400_000, 99_999_999, 5_000, false, 600_000],
    ['at the latest at the end', 60_000, 15_000, 5_000, false, 10_000],
    ['at once when the end is over and nobody has looked', 60_000, 8_000, 9_000, false, 0],
    ['as often as asked once that was done', 60_000, 5_000, 9_000, false, 60_000],
    ['as often as asked while it is paused', 60_000, 8_000, 9_000, true, 60_000],
  ])('is looked at %s', (_when, everyMs, deadline, now, paused, expected) => {
    expect(t.nextLookMs(everyMs, p.waitUntil(read(50), deadline), paused, now)).toBe(expected);
  });

  test('has failed when no pod of its side was ready in two looks, the second of which comes soon; until then it does not end', () => {
    const found = t.standing(over, true, 9_000);
    expect(t.isDead(found, 9_000)).toBe(false);
    expect(t.mayEnd(gated, found, 9_000)).toBe(false);
    expect(t.nextLookMs(60_000, p.waitUntil(found, 999_000), false, 9_000)).toBe(5_000);
    const again = t.standing(found, true, 14_000);
    expect([t.isDead(again, 13_999), t.isDead(again, 14_000)]).toEqual([false, true]);
    const risen = t.standing(found, false, 14_000);
    expect([t.isDead(risen, 99_000), t.mayEnd(gated, risen, 9_000)]).toEqual([false, true]);
  });
});

test.each([
  ['a step of a canary to its candidate', canaryPlan('q'), 'weight-50', 'checkout-candidate'],
  ['a switch to the side that was brought up', blueGreenPlan('q'), 'switch', 'trino-green'],
  ['the way home of a canary to nobody who is looked at', canaryPlan('q'), 'home', null],
])('what is sent by %s goes there', (_what, { stages }, name, workload) => {
  const stage = stages.find((one) => one.name === name);
  if (stage?.kind !== 'shift') throw new Error(`${name} is no shift`);
  expect(sentTo(stages, stage)?.name ?? null).toBe(workload);
});

function never(): never {
  throw new Error('there is no traffic');
}

function canaryGate() {
  return { metrics: 'shop', requests: 'q', checks: [], windowMs: 1, fails: 1, of: 1, atLeast: 1, blindForMs: 1 };
}

describe('phase and orders of a release', () => {
  const waits: OrderName[] = ['pause', 'abort', 'rollback', 'skip', 'extend'];
  const goes: OrderName[] = ['pause', 'abort', 'rollback'];
  const watched = (plan: Plan, name: string) => p.waitUntil(inStage(plan, name), 9_000);

  test.each<[string, Plan, Progress, Phase, OrderName[]]>([
    ['the candidate comes up', canary, inStage(canary, 'candidate'), 'bringing-up', goes],
    ['a share is set', canary, inStage(canary, 'weight-5'), 'shifting', goes],
    ['a share is watched', canary, watched(canary, 'weight-50'), 'watching', waits],
    ['the stable side is kept', canary, watched(canary, 'keep'), 'in-grace', waits],
    ['the stable pods are replaced', canary, inStage(canary, 'promote'), 'rolling', goes],
    ['the traffic goes home', canary, inStage(canary, 'home'), 'shifting', goes],
    ['the candidate is removed', canary, inStage(canary, 'retire'), 'cleaning-up', goes],
    ['the idle side comes up', blueGreen, inStage(blueGreen, 'bring-up'), 'rolling', goes],
    ['the idle side is asked', blueGreen, inStage(blueGreen, 'validate'), 'validating', goes],
    ['everything is switched', blueGreen, inStage(blueGreen, 'switch'), 'shifting', goes],
    ['the switch is watched', blueGreen, watched(blueGreen, 'switch'), 'watching', waits],
    ['the old side is kept', blueGreen, watched(blueGreen, 'keep'), 'in-grace', waits],
    ['the old side is emptied', blueGreen, inStage(blueGreen, 'clean-up'), 'rolling', goes],
  ])('when %s', (_when, plan, progress, phase, orders) => {
    expect(phaseOf(plan, progress, false)).toBe(phase);
    expect([...possibleOrders(plan, progress, emptyDesk)].sort()).toEqual([...orders].sort());
    const paused = { ...emptyDesk, paused: true };
    expect(phaseOf(plan, progress, true)).toBe('paused');
    expect([...possibleOrders(plan, progress, paused)].sort()).toEqual(
      [...orders.filter((order) => order !== 'pause'), 'resume'].sort(),
    );
    const parked = p.park(progress, { code: 'GATE_HELD', detail: '' });
    const still = orders.filter((order) => order !== 'skip');
    expect([...possibleOrders(plan, parked, emptyDesk)].sort()).toEqual([...still, 'retry'].sort());
    expect(possibleOrders(plan, p.turnBack(progress, 'why', 4_000), emptyDesk)).toEqual([]);
  });
});
