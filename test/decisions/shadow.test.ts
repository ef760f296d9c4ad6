import { describe, expect, it, test } from '@jest/globals';
import type { ReleasePlan, StageOf } from '../../contracts/plan.ts';
import type { ShadowSpec } from '../../contracts/release-spec.ts';
import { latencyBoundsMs, type ShadowFacts } from '../../contracts/shadow.ts';
import { checkSpec } from '../../decisions/check-spec.ts';
import { intervalOf } from '../../decisions/interval.ts';
import { canBeShown, judgeShadow, untilLook } from '../../decisions/judge-shadow.ts';
import { notStarted } from '../../decisions/progress.ts';
import { compared, comparedAnew, measured, shadowOf } from '../../decisions/shadow.ts';
import { canaryFacts, planRelease, shadowPlan, shadowSpec } from '../support/release-plans.ts';
import { comparison } from '../support/shadow-facts.ts';

describe('the interval of a share', () => {
  // Clopper and Pearson's own, as in tables and in R's binom.test
  test.each([
    [10, 100, 0.95, 0.049005, 0.176223],
    [99, 100, 0.95, 0.945541, 0.999747],
    [0, 20, 0.95, 0, 0.168433],
    [20, 20, 0.95, 0.831567, 1],
    [7, 10, 0.9, 0.393376, 0.912736],
  ])('of %d of %d at %d is that of the tables', (count, of, confidence, low, high) => {
    const found = intervalOf(count, of, confidence);
    expect(found.low).toBeCloseTo(low, 5);
    expect(found.high).toBeCloseTo(high, 5);
  });

  it('is exact for all of many, where it has a closed form', () => {
    for (const many of [100, 10_000, 1_000_000]) {
      const { low, high } = intervalOf(many, many, 0.99);
      expect(low).toBeCloseTo(0.005 ** (1 / many), 9);
      expect(high).toBe(1);
    }
  });

  it('holds the true share at least as often as it says', () => {
    // summed over all outcomes of 200 answers, of which each agrees with a chance of 99 %
    let covered = 0;
    let chance = 0.99 ** 200;
    for (let count = 200; count >= 0; count--) {
      const { low, high } = intervalOf(count, 200, 0.95);
      if (low <= 0.99 && 0.99 <= high) covered += chance;
      chance *= count / (200 - count + 1) / 99;
    }
    expect(covered).toBeGreaterThanOrEqual(0.95);
    expect(covered).toBeLessThan(1);
  });
});

const stage = { looks: [1_000, 2_000, 4_000], agree: 0.99 };
const plan = shadowPlan('lakeshift');
const after = (facts: Partial<ShadowFacts>) =>
  measured(compared(notStarted(plan, 0), { ...comparison()(1_000), ...facts }, 5), stage);

describe('the verdict of a shadow', () => {
  const judged = (differing: number, of = 1_000) =>
    judgeShadow(stage, shadowOf(after({ compared: of, agreed: of - differing })));

  test.each([
    [0, 'promote'],
    [2, 'promote'],
    [5, 'hold'],
    [10, 'hold'],
    [15, 'hold'],
    [40, 'rollback'],
    [1_000, 'rollback'],
  ])('%d of 1,000 that differ, of which 1 % may: %s', (differing, decision) => {
    expect(judged(differing).decision).toBe(decision);
  });

  it('promotes nothing for want of answers', () => {
    expect(judged(0, 10).decision).toBe('hold');
    expect(judgeShadow(stage, shadowOf(after({ compared: 0, agreed: 0 }))).decision).toBe('hold');
  });

  it('says how many agree, how sure that is, and in what the others differ', () => {
    const { because } = judgeShadow(stage, shadowOf(after({ agreed: 960, differs: { '/score': 39, status: 1 } })));
    expect(because).toBe(
      '960 of 1000 answers agree (96 %; 94.26 to 97.34 % at 98.33 % confidence), to 20 different requests; they differ in /score (39), status (1); 99 % is wanted',
    );
  });

  it('looks at fixed numbers only', () => {
    expect([0, 999, 1_000, 1_500, 3_999, 4_000, 9_000].map((sum) => untilLook(stage, sum))).toEqual([
      1_000, 1, 1_000, 500, 1, 0, 0,
    ]);
  });

  it('knows which agreement no number of answers shows', () => {
    expect(canBeShown({ looks: [100], agree: 0.99 })).toBe(false);
    expect(canBeShown({ looks: [1_000], agree: 0.99 })).toBe(true);
    expect(canBeShown({ looks: [1_000_000], agree: 1 })).toBe(false);
  });
});

describe('what is kept of the slices', () => {
  it('is their sum, with the most frequent difference first and the place that comes next', () => {
    const first = compared(notStarted(plan, 0), { ...comparison()(10), differs: { '/a': 1, '/b': 1 }, next: 7 }, 1);
    const second = compared(first, { ...comparison()(5), agreed: 2, differs: { '/b': 3 }, next: 12 }, 2);
    expect(shadowOf(second)).toMatchObject({
      compared: 15,
      agreed: 12,
      differs: [
        { at: '/b', count: 4 },
        { at: '/a', count: 1 },
      ],
      next: 12,
      silentSince: null,
    });
  });

  it('counts the rare ones together, so that it stays small', () => {
    const differs = Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`/field_${n % 10}/x_${n}`, 80 - n]));
    const { differs: kept } = shadowOf(compared(notStarted(plan, 0), { ...comparison()(10), differs }, 1));
    expect(kept.length).toBe(51);
    expect(kept.reduce((sum, { count }) => sum + count, 0)).toBe((80 * 81) / 2);
  });

  it('has the median and the 99th percentile of each side, and none where nobody has measured', () => {
    const counts = latencyBoundsMs.map((_, place) => (place === 3 ? 98 : place === 20 ? 2 : 0));
    const progress = compared(
      notStarted(plan, 0),
      { ...comparison()(100), latency: { stable: counts, candidate: counts.map(() => 0) } },
      1,
    );
    const { stable, candidate } = shadowOf(progress).latency;
    expect([stable.p50Ms, stable.p99Ms]).toEqual([0.49, 21.68]);
    expect([candidate.p50Ms, candidate.p99Ms]).toEqual([null, null]);
  });

  it('remembers since when the stable side is silent', () => {
    const once = compared(notStarted(plan, 0), comparison({ silent: 3 })(10), 100);
    const twice = compared(once, comparison({ silent: 3 })(10), 200);
    expect(shadowOf(twice)).toMatchObject({ silent: 6, silentSince: 100 });
    expect(shadowOf(compared(twice, comparison()(1), 300)).silentSince).toBeNull();
  });

  it('is nothing for who begins anew, but for the place in the batch', () => {
    const progress = compared(notStarted(plan, 0), { ...comparison()(10), next: 4 }, 1);
    expect(shadowOf(comparedAnew(progress))).toMatchObject({ compared: 0, next: 4 });
  });
});

const facts = { ...canaryFacts, route: null, selectors: [] };
const stageOf = <K extends 'candidate' | 'shadow'>({ stages }: ReleasePlan, kind: K): StageOf<K> => {
  const found = stages.find((one): one is StageOf<K> => one.kind === kind);
  if (found === undefined) throw new Error(`no stage ${kind}`);
  return found;
};

describe('the plan of a shadow', () => {
  it('brings a candidate up, compares, and removes it; nothing else of the cluster is touched', () => {
    expect(plan.stages.map(({ kind, name }) => [kind, name])).toEqual([
      ['candidate', 'candidate'],
      ['shadow', 'shadow'],
      ['retire', 'retire'],
    ]);
    expect(plan.object).toEqual({ kind: 'Deployment', namespace: 'shop', name: 'checkout', uid: '5b7e' });
    expect(plan.risk).toMatchObject({ level: 'low', pointOfNoReturn: null });
    expect(stageOf(plan, 'candidate').candidate).toMatchObject({
      name: 'checkout-candidate',
      replicas: 1,
      service: { of: 'checkout', name: 'checkout-candidate' },
      labels: { app: 'checkout-candidate' },
    });
  });

  it('is judged at numbers that double, up to sixteen times the first', () => {
    expect(stageOf(plan, 'shadow')).toMatchObject({
      looks: [1_000, 2_000, 4_000, 8_000, 16_000],
      agree: 0.99,
      perSecond: 10,
      noise: false,
      onFail: 'rollback',
    });
    const few = stageOf(shadowPlan('lakeshift', { atLeast: 300, atMost: 700, agree: '95%' }), 'shadow');
    expect(few.looks).toEqual([300, 600, 700]);
  });

  it('says that nobody looks whether the candidate writes, and that few requests say little of others', () => {
    expect(plan.findings.map(({ code }) => code)).toEqual(['NO_WRITES_DECLARED', 'REQUESTS_REPEATED']);
  });

  it('has the variables by which the candidate writes elsewhere', () => {
    const env = { SINK: { secret: 'shadow', key: 'sink' } };
    const made = shadowPlan('lakeshift', { writes: { env } });
    expect(stageOf(made, 'candidate').candidate.env).toEqual(env);
    expect(stageOf(made, 'candidate').title).toContain('writes by SINK');
    expect(made.findings.map(({ code }) => code)).not.toContain('NO_WRITES_DECLARED');
  });

  it.each([
    ['that selects by another label of the pods', { tier: 'web' }],
    ['that selects the very name of the candidate', { app: 'checkout-candidate' }],
  ])('is refused where there is a Service %s', (_, selector) => {
    const selectors = [
      { service: 'checkout', selector: { app: 'checkout' } },
      { service: 'all-of-shop', selector },
    ];
    const workloads = facts.workloads.map((one) => ({ ...one, podLabels: { app: 'checkout', tier: 'web' } }));
    expect(planRelease(shadowSpec, { ...facts, workloads, selectors })).toEqual([
      {
        pointer: '/workload',
        detail: "Service all-of-shop would select the candidate's pods too, and send it requests of users",
      },
    ]);
  });
});

describe('the spec of a shadow', () => {
  const problems = (more: object): unknown => {
    const check = checkSpec({ ...shadowSpec, ...more });
    return check.ok ? [] : check.problems;
  };
  const list = (request: object) => ({ requests: { list: [{ method: 'GET', path: '/', ...request }] } });
  const pointers = (more: object) => (problems(more) as { readonly pointer: string }[]).map(({ pointer }) => pointer);

  it('is refused without a word on what the candidate writes', () => {
    const { writes: _, ...silent } = shadowSpec;
    expect(checkSpec(silent)).toEqual({ ok: false, problems: [{ pointer: '/writes', detail: 'is missing' }] });
  });

  it.each<[string, Partial<ShadowSpec>]>([
    ['nothing', { writes: 'none' }],
    ['elsewhere, by a Secret', { writes: { env: { SINK: { secret: 'shadow', key: 'sink' } } } }],
    [
      'requests of any method that are harmless',
      { requests: { ...list({ method: 'POST' }).requests, harmless: true } },
    ],
  ])('may write %s', (_, more) => {
    expect(problems(more)).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['another word on writes', { writes: 'some' }, '/writes'],
    ['no variable', { writes: { env: {} } }, '/writes/env'],
    [
      'a password in an address',
      { writes: { env: { SINK: { value: 'postgres://a:b@c/d' } } } },
      '/writes/env/SINK/value',
    ],
    ['a user in a side', { sides: { stable: 'http://a@b', candidate: 'http://c' } }, '/sides/stable'],
    ['a path in a side', { sides: { stable: 'http://a/b', candidate: 'http://c' } }, '/sides/stable'],
    ['one address for both sides', { sides: { stable: 'http://a', candidate: 'http://a' } }, '/sides/candidate'],
    ['a POST that may not be harmless', list({ method: 'POST' }), '/requests/list/0/method'],
    ['credentials', list({ headers: { authorization: 'Bearer x' } }), '/requests/list/0/headers'],
    ['a body of a GET', list({ body: '{}' }), '/requests/list/0/body'],
    ['no requests', { requests: { list: [] } }, '/requests/list'],
    [
      'more than a plan should carry',
      { requests: { list: Array.from({ length: 40 }, () => ({ method: 'GET', path: `/${'a'.repeat(900)}` })) } },
      '/requests/list',
    ],
    ['agreement that can not be shown', { agree: '100%' }, '/agree'],
    ['too few answers for the agreement', { atLeast: 10, atMost: 100 }, '/agree'],
    ['fewer at the most than at least', { atLeast: 2_000, atMost: 1_000 }, '/atMost'],
    ['a tolerance without an amount', { compare: { tolerance: [{ at: '/a' }] } }, '/compare/tolerance/0'],
  ])('is refused for %s', (_, more, pointer) => {
    expect(pointers(more)).toEqual([pointer]);
  });

  it('has the lowest bound that many answers show', () => {
    expect(problems({ agree: '99.9%', atMost: 100_000 })).toEqual([]);
  });
});
