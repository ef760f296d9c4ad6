import { failures, type FailureCode } from '../../contracts/failures.ts';
import type { Finding, GraceStage } from '../../contracts/plan.ts';
import { isApproved } from '../../decisions/approvals.ts';
import { currentDetails } from '../../decisions/current-details.ts';
import { evidenceOf } from '../../decisions/evidence.ts';
import { answerTo } from '../../decisions/failure-answer.ts';
import { nextInGrace, nextLook } from '../../decisions/grace.ts';
import { judge } from '../../decisions/judge.ts';
import * as p from '../../decisions/progress.ts';
import { judgeProof, nextProofLookMs } from '../../decisions/proof.ts';
import { wayBackOf } from '../../decisions/way-back.ts';
import { anyApprover, testPlan } from '../support/plans.ts';

const plan = testPlan({ graceMs: 1_000, cadenceMs: [100, 400] });
const inStage = (at: number) => {
  let progress = p.notStarted(plan, 0);
  for (let i = 0; i < at; i++) progress = p.advance(p.begin(p.arrive(progress, 0)), 0, null);
  return p.begin(p.arrive(progress, 0));
};

test.each([
  [[{ name: 'a', max: 0 }], 0, 'promote', 'a within bounds'],
  [[{ name: 'a', max: 0 }], 1, 'hold', 'a: 1, above 0'],
  [[{ name: 'a', min: 5 }], 5, 'promote', 'a within bounds'],
  [[{ name: 'a', min: 5 }], 4, 'hold', 'a: 4, below 5'],
  [[{ name: 'a' }], null, 'hold', 'a: not measured'],
  [[{ name: 'a' }, { name: 'b' }], 1, 'hold', 'b: not measured'],
])('readings judged by %j with %j: %s', (checks, value, decision, because) => {
  expect(judge(checks, [{ name: 'a', value, unit: '', at: 0 }])).toEqual({ decision, because });
});

describe('the way back', () => {
  const { wayBack } = p.notStarted(plan, 100);
  test.each([
    ['cutover', 0, 'lossless', 0],
    ['grace', 3, 'losing', 3],
    ['grace', null, 'losing', null],
    ['contract', 0, 'no', null],
  ] as const)('in %s with %j misfits is %s', (kind, misfits, verdict, rows) => {
    expect(wayBackOf(wayBack, kind, misfits, 200)).toMatchObject({ verdict, rows, lookedAt: 200 });
  });

  test('keeps since when it is so, until it is otherwise', () => {
    const losing = wayBackOf(wayBack, 'grace', 3, 200);
    expect(wayBackOf(losing, 'grace', 3, 300)).toMatchObject({ since: 200, lookedAt: 300 });
    expect(wayBackOf(losing, 'grace', 4, 300)).toMatchObject({ since: 300 });
  });
});

describe('a failure is answered', () => {
  const codes = (family: string) =>
    (Object.keys(failures) as FailureCode[]).filter((code) => failures[code].family === family);
  const rollback = { ...plan, onFailure: 'rollback' } as const;
  const answer = (code: FailureCode, at = 2, of = rollback) => answerTo(of, inStage(at), { code, detail: '' });

  test.each(codes('broken'))('%s by going back when the plan says so, otherwise by parking', (code) => {
    expect(answer(code)).toBe('rollback');
    expect(answerTo(plan, inStage(2), { code, detail: '' })).toBe('park');
  });

  test.each(codes('ambiguous'))('%s always by parking', (code) => {
    expect(answer(code)).toBe('park');
  });

  test('TARGET_FULL by parking: trying again does not empty a disk', () => {
    expect(answer('TARGET_FULL')).toBe('park');
    expect(answerTo(rollback, p.turnBack(inStage(2), '', 0), { code: 'TARGET_FULL', detail: '' })).toBe('park');
  });

  test.each(codes('busy').filter((code) => code !== 'TARGET_FULL'))('%s by trying again, wherever it is', (code) => {
    expect(answer(code)).toBe('again');
    expect(answer(code, 6)).toBe('again');
  });

  test('by parking where going back is impossible, is going on, or would lose something', () => {
    expect(answer('SQL_FAILED', 6)).toBe('park');
    const failure = { code: 'SQL_FAILED', detail: '' } as const;
    expect(answerTo(rollback, p.turnBack(inStage(2), '', 0), failure)).toBe('park');
    const losing = { ...inStage(5), wayBack: wayBackOf(inStage(5).wayBack, 'grace', 1, 0) };
    expect(answerTo(rollback, losing, failure)).toBe('park');
  });
});

describe('grace', () => {
  const stage = plan.stages[5] as GraceStage; // the plan of the tests has its grace there
  const grace = p.waitUntil(inStage(5), 1_000);
  const at = (now: number, lookedAt = 0, change = {}) =>
    nextInGrace(stage, { ...grace, wayBack: { ...grace.wayBack, lookedAt }, ...change }, false, now);

  test.each([
    [0, 0, { next: 'wait', until: 100 }],
    [100, 0, { next: 'look' }],
    [150, 110, { next: 'wait', until: 400 }],
    [400, 110, { next: 'look' }],
    [700, 400, { next: 'wait', until: 800 }],
    [900, 810, { next: 'wait', until: 1_000 }],
    [1_000, 810, { next: 'end' }],
  ])('after %d ms, last looked at after %d, does %j', (now, lookedAt, step) => {
    expect(at(now, lookedAt)).toEqual(step);
  });

  test('does not end while it is paused, but is looked at', () => {
    const progress = { ...grace, wayBack: { ...grace.wayBack, lookedAt: 1_000 } };
    expect(nextInGrace(stage, progress, true, 1_100)).toEqual({ next: 'wait', until: 1_200 });
    expect(nextInGrace(stage, progress, true, 1_200)).toEqual({ next: 'look' });
  });

  test('goes on with a row check that is under way', () => {
    expect(at(500, 450, { pass: 'grace-9' })).toEqual({ next: 'check', pass: 'grace-9' });
  });

  test('looks again before anything else after a hold, even when its time is over', () => {
    const held = { verdict: { decision: 'hold', because: '' } };
    expect(at(1_500, 1_400, held)).toEqual({ next: 'look' });
    expect(at(1_500, 1_400, { ...held, pass: 'grace-9' })).toEqual({ next: 'check', pass: 'grace-9' });
  });

  test('without a cadence is not looked at', () => {
    expect(nextLook([], 0, 0)).toBe(Infinity);
    expect(nextLook([0], 0, 0)).toBe(Infinity);
  });
});

describe('proof', () => {
  test.each([
    [null, 'awaited', 'there is no deployment web yet'],
    ['in-grace', 'awaited', 'web-1 is in-grace'],
    ['deployed', 'given', 'web-1 is deployed'],
    ['rolled-back', 'failed', 'web-1 is rolled-back'],
    ['refused', 'failed', 'web-1 is refused'],
  ] as const)('by a deployment that is %j is %s', (phase, proof, because) => {
    expect(judgeProof('web', phase === null ? null : { id: 'web-1', phase })).toEqual({ proof, because });
  });

  test('is looked for at a decaying pace', () => {
    expect([0, 60_000, 86_400_000].map(nextProofLookMs)).toEqual([2_000, 6_000, 600_000]);
  });
});

describe('evidence', () => {
  const noted: Finding = { code: 'SHAPES_AGREE', level: 'noted', detail: '1,000 rows agree', count: 1_000 };
  const warned: Finding = { code: 'STILL_READ', level: 'warned', detail: '2 statements', count: 2 };
  const hash = (...findings: Finding[]) => evidenceOf(plan, 'contract', findings, 0).hash;

  test('has another hash when what weighs is another, and the same when only a count in a note is', () => {
    expect(hash(noted, warned)).toBe(hash({ ...noted, detail: '1,001 rows agree', count: 1_001 }, warned));
    expect(hash(noted, warned)).not.toBe(hash(noted, { ...warned, count: 3 }));
    expect(hash(noted, warned)).not.toBe(hash(warned));
    expect(hash(noted)).not.toBe(evidenceOf({ ...plan, hash: 'other' }, 'contract', [noted], 0).hash);
  });

  test('that has changed leaves a stage without approval', () => {
    const needing = testPlan({ contract: { ...anyApprover, count: 2 } });
    const [stage] = needing.stages.slice(6);
    const approval = { stage: 'contract', reason: '', planHash: needing.hash, evidenceHash: 'e1', at: 0 };
    const by = (...names: string[]) => ({
      ...inStage(6),
      evidence: { stage: 'contract', hash: 'e1', findings: [], gatheredAt: 0 },
      approvals: names.map((name) => ({
        ...approval,
        actor: { name, role: 'approver', groups: [], via: 'api' } as const,
      })),
    });
    if (stage === undefined) throw new Error('the plan has no contract');
    expect(isApproved(needing, by('dora', 'dan'), stage)).toBe(true);
    expect(isApproved(needing, by('dora', 'dora'), stage)).toBe(false);
    const changed = { ...by('dora', 'dan'), evidence: { stage: 'contract', hash: 'e2', findings: [], gatheredAt: 0 } };
    expect(isApproved(needing, changed, stage)).toBe(false);
  });
});

test('the checklist shows where the deployment is, what it waits for and the point of no return', () => {
  const progress = p.park(p.countRows(inStage(2), 500, 1_000), { code: 'SQL_FAILED', detail: 'it broke' });
  const actor = { name: 'ann', role: 'operator', groups: [], via: 'api' } as const;
  const status = {
    id: 'd',
    name: 'n',
    target: 'shop',
    strategy: 's',
    planHash: plan.hash,
    phase: 'needs-attention',
  } as const;
  const more = { stage: 'backfill', paused: false, rate: null, startedBy: actor, startedAt: 0, changedAt: 0 };
  const text = currentDetails(plan, { ...status, ...more, progress, possible: ['retry'] });
  expect(text).toContain('**needs-attention**');
  expect(text).toContain('needs attention: `SQL_FAILED` it broke');
  expect(text).toContain('- [x] **expand** add amount_cents and its trigger');
  expect(text).toContain('- [ ] **backfill** rewrite the rows · running · 500 of 1000 rows');
  expect(text).toContain('drop amount · point of no return');
  const open = { name: 'scores-db', state: 'open', because: 'no connection', since: 0, waits: 1 } as const;
  const breakers = [{ ...open, answers: [false], lookedAt: 0, nextAt: 0, until: null }];
  expect(currentDetails(plan, { ...status, ...more, progress: { ...progress, breakers }, possible: [] })).toContain(
    'dependency scores-db is open: no connection',
  );
});
