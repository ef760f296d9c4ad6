import { approvalsMissing, endWaitIfApproved } from '../../decisions/approvals.ts';
import { orderNames, type OrderName } from '../../contracts/catalog.ts';
import type { Actor, Order } from '../../contracts/messages.ts';
import type { DeskState, Progress } from '../../contracts/progress.ts';
import { possibleOrders, refuseOrder } from '../../decisions/orders.ts';
import * as p from '../../decisions/progress.ts';
import { readOrder } from '../../decisions/read-order.ts';
import { emptyDesk, takeOrder } from '../../decisions/take-order.ts';
import { anyApprover, testPlan } from '../support/plans.ts';

const dba = { group: 'dba', count: 2, notByAuthor: true };
const plan = testPlan({ cutover: anyApprover, contract: dba });
const dora: Actor = { name: 'dora', role: 'approver', groups: ['dba'], via: 'api' };

const evidence = { stage: 'contract', hash: 'e1', findings: [], gatheredAt: 1 };
const inStage = (at: number): Progress => {
  let progress = p.notStarted(plan, 1_000);
  for (let i = 0; i < at; i++) progress = p.advance(p.begin(p.arrive(progress, 1_000)), 2_000, null);
  return p.arrive(progress, 3_000);
};
const begun = (at: number): Progress => p.begin(inStage(at));
const asking = (at: number, stage: string): Progress =>
  p.waitFor({ ...inStage(at), evidence }, { what: 'approval', stage, detail: '' });

/** Every place at which a deployment can be. */
const scenes = {
  'in preflight': begun(0),
  'in expand': begun(1),
  'in backfill': begun(2),
  'in verify': begun(3),
  'before the cutover, waiting for approval': asking(4, 'cutover'),
  'before the cutover, waiting for proof': p.waitFor(inStage(4), { what: 'proof', stage: 'cutover', detail: '' }),
  'in cutover': begun(4),
  'in grace': p.waitUntil(begun(5), 50_000),
  'before contract, waiting for approval': asking(6, 'contract'),
  'in contract': begun(6),
  'parked in backfill': p.park(begun(2), { code: 'SQL_FAILED', detail: '' }),
  'parked in verify': p.park(begun(3), { code: 'VERIFY_DIFFERS', detail: '' }),
  'parked in grace': p.park(p.waitUntil(begun(5), 50_000), { code: 'VERIFY_DIFFERS', detail: '' }),
  'parked in contract': p.park(begun(6), { code: 'SQL_FAILED', detail: '' }),
  'rolling back': p.turnBack(begun(2), 'why', 4_000),
  'parked while rolling back': p.park(p.turnBack(begun(2), 'why', 4_000), { code: 'SQL_FAILED', detail: '' }),
  'after the end': p.end(begun(6), { phase: 'deployed', because: '', at: 9_000 }),
} as const;
type SceneName = keyof typeof scenes;

const turning = ['abort', 'rollback'] as const;
const possible: Readonly<Record<SceneName, readonly OrderName[]>> = {
  'in preflight': ['pause', ...turning, 'setRate'],
  'in expand': ['pause', ...turning, 'setRate'],
  'in backfill': ['pause', ...turning, 'setRate'],
  'in verify': ['pause', ...turning],
  'before the cutover, waiting for approval': ['pause', 'approve', 'reject', ...turning],
  'before the cutover, waiting for proof': ['pause', ...turning],
  'in cutover': ['pause', ...turning],
  'in grace': ['pause', ...turning, 'skip', 'extend'],
  'before contract, waiting for approval': ['pause', 'approve', 'reject', ...turning],
  'in contract': ['pause'],
  'parked in backfill': ['pause', ...turning, 'retry', 'setRate'],
  'parked in verify': ['pause', ...turning, 'retry'],
  'parked in grace': ['pause', ...turning, 'retry', 'extend'],
  'parked in contract': ['pause', 'retry'],
  'rolling back': [],
  'parked while rolling back': ['retry'],
  'after the end': [],
};

const orderIn = (progress: Progress, name: OrderName, change: Record<string, unknown> = {}): Order =>
  readOrder(name, {
    actor: dora,
    reason: 'it is time',
    stage: p.expectedStage(plan, progress) ?? 'contract',
    id: 'o1',
    planHash: plan.hash,
    evidenceHash: p.currentStage(plan, progress)?.kind === 'contract' ? 'e1' : null,
    signature: 'signed',
    byMs: 1_000,
    rowsPerSecond: 500,
    ...change,
  });
const refuse = (progress: Progress, desk: DeskState, order: Order) => refuseOrder(plan, progress, desk, order, 'ann');

describe('which orders are possible', () => {
  const table = (Object.keys(scenes) as SceneName[]).flatMap((scene) =>
    orderNames.map((order) => [order, scene] as const),
  );

  test.each(table)('%s %s: at the right stage', (order, scene) => {
    const refusal = refuse(scenes[scene], emptyDesk, orderIn(scenes[scene], order));
    if (possible[scene].includes(order)) expect(refusal).toBeNull();
    else expect(refusal).toMatchObject({ code: 'ORDER_IMPOSSIBLE', possible: possible[scene] });
  });

  test.each(table)('%s %s: a stale one changes nothing', (order, scene) => {
    const refusal = refuse(scenes[scene], emptyDesk, orderIn(scenes[scene], order, { stage: 'another' }));
    const code = scene === 'after the end' ? 'ORDER_IMPOSSIBLE' : 'ORDER_STALE';
    expect(refusal).toMatchObject({ code, possible: possible[scene] });
  });

  test.each(table)('%s %s: a repeated one is not taken twice', (order, scene) => {
    const desk = { ...emptyDesk, takenIds: ['o1'] };
    expect(refuse(scenes[scene], desk, orderIn(scenes[scene], order))).toMatchObject({
      code: 'ORDER_REPEATED',
      possible: possible[scene],
    });
  });

  test.each(Object.keys(scenes) as SceneName[])('%s: the list is the one that the refusals name', (scene) => {
    expect(possibleOrders(plan, scenes[scene], emptyDesk)).toEqual(possible[scene]);
  });
});

describe('two orders, one after the other', () => {
  test.each(Object.keys(scenes) as SceneName[])(
    '%s: the second is taken when it is still possible, and only then',
    (scene) => {
      const progress = scenes[scene];
      for (const first of possible[scene]) {
        const after = takeOrder({ plan, progress, desk: emptyDesk }, orderIn(progress, first), 5_000);
        const left = possibleOrders(plan, after.progress, after.desk);
        for (const second of orderNames) {
          const refusal = refuse(after.progress, after.desk, orderIn(after.progress, second, { id: 'o2' }));
          const again = second === 'approve' && first === 'approve';
          expect([first, second, refusal === null || again]).toEqual([first, second, left.includes(second) || again]);
          const twice = refuse(after.progress, after.desk, orderIn(after.progress, first));
          expect([first, twice?.code]).toEqual([first, 'ORDER_REPEATED']);
        }
      }
    },
  );

  test.each(Object.keys(scenes) as SceneName[])(
    '%s: what counts as an approval is never taken of another role',
    (scene) => {
      for (const role of ['viewer', 'operator'])
        for (const name of ['approve', 'skip'] as const)
          expect(
            refuse(scenes[scene], emptyDesk, orderIn(scenes[scene], name, { actor: { ...dora, role } })),
          ).not.toBeNull();
    },
  );
});

describe('what lies on the desk', () => {
  const backfill = scenes['in backfill'];
  const after = (name: OrderName, progress = backfill) =>
    takeOrder({ plan, progress, desk: emptyDesk }, orderIn(progress, name, { id: '' }), 5_000);

  test('a paused deployment is resumed and not paused again', () => {
    const { desk } = after('pause');
    expect(desk).toMatchObject({ paused: true, pausedBy: 'dora' });
    expect(possibleOrders(plan, backfill, desk)).toEqual(['resume', ...turning, 'setRate']);
    expect(refuse(backfill, desk, orderIn(backfill, 'pause'))).toMatchObject({ code: 'ORDER_REPEATED' });
  });

  test('an abort overrules a rollback that waits, and nothing overrules an abort', () => {
    const rollback = after('rollback').desk;
    expect(possibleOrders(plan, backfill, rollback)).toEqual(['abort']);
    expect(refuse(backfill, rollback, orderIn(backfill, 'rollback'))).toMatchObject({ code: 'ORDER_REPEATED' });
    const abort = after('abort').desk;
    expect(possibleOrders(plan, backfill, abort)).toEqual([]);
    expect(refuse(backfill, abort, orderIn(backfill, 'abort'))).toMatchObject({ code: 'ORDER_REPEATED' });
  });

  test('a retry unparks and forgets the pass of the row check', () => {
    const { progress } = after('retry', p.inPass(scenes['parked in verify'], 'verify-3'));
    expect(progress).toMatchObject({ parked: null, pass: null });
  });

  test('a retry after a fence leaps over the turns that the target has seen', () => {
    const fenced = p.park(begun(2), { code: 'FENCED', detail: '' });
    expect(after('retry', fenced).progress.turn).toBe(fenced.turn + 1_000_000);
    expect(after('retry', scenes['parked in verify']).progress.turn).toBe(scenes['parked in verify'].turn);
  });

  test('skip ends grace now and says who did; extend adds to the deadline', () => {
    const grace = scenes['in grace'];
    expect(after('skip', grace).progress.deadline).toBe(5_000);
    expect(after('skip', grace).progress.stages[5]?.note).toBe('ended early by dora: it is time');
    expect(after('extend', grace).progress.deadline).toBe(51_000);
  });

  test('a rate is kept, also none', () => {
    expect(after('setRate').desk.rate).toBe(500);
    const none = takeOrder(
      { plan, progress: backfill, desk: emptyDesk },
      orderIn(backfill, 'setRate', { rowsPerSecond: null }),
      1,
    );
    expect(none.desk.rate).toBeNull();
  });

  test('the latest 200 ids are remembered, and an order without one is not', () => {
    let desk = emptyDesk;
    for (let i = 0; i < 205; i++) {
      desk = takeOrder({ plan, progress: backfill, desk }, orderIn(backfill, 'setRate', { id: `o${i}` }), 1).desk;
    }
    expect(desk.takenIds).toHaveLength(200);
    expect(desk.takenIds.at(-1)).toBe('o204');
    expect(after('pause').desk.takenIds).toEqual([]);
  });
});

describe('an order that lacks something', () => {
  const grace = scenes['in grace'];
  test.each([
    ['an actor', grace, 'pause', { actor: undefined }, 'the order lacks its actor'],
    ['a name of its actor', grace, 'pause', { actor: { name: '  ' } }, 'the order lacks its actor'],
    ['a reason', grace, 'pause', { reason: ' ' }, 'the order lacks its reason'],
    ['a stage', grace, 'pause', { stage: undefined }, 'the order lacks the stage'],
    ['a length', grace, 'extend', { byMs: undefined }, 'byMs must be'],
    ['a positive length', grace, 'extend', { byMs: 0 }, 'byMs must be'],
    ['a number as length', grace, 'extend', { byMs: '7d' }, 'byMs must be'],
    ['a rate', begun(2), 'setRate', { rowsPerSecond: undefined }, 'rowsPerSecond must be'],
    ['a positive rate', begun(2), 'setRate', { rowsPerSecond: 0 }, 'rowsPerSecond must be'],
  ] as const)('%s is invalid', (_what, progress, name, change, detail) => {
    const refusal = refuse(progress, emptyDesk, orderIn(progress, name, change));
    expect(refusal?.code).toBe('ORDER_INVALID');
    expect(refusal?.detail).toContain(detail);
  });

  test.each([undefined, null, 3, 'pause', []])('and is no object at all (%j) is invalid too', (value) => {
    expect(refuse(grace, emptyDesk, readOrder('pause', value))).toMatchObject({ code: 'ORDER_INVALID' });
  });
});

describe('an approval', () => {
  const waiting = scenes['before contract, waiting for approval'];
  const given = takeOrder({ plan, progress: waiting, desk: emptyDesk }, orderIn(waiting, 'approve'), 5_000).progress;

  test.each([
    ['of another plan', { planHash: 'other' }, 'ORDER_INVALID'],
    ['without a plan', { planHash: undefined }, 'ORDER_INVALID'],
    ['of other evidence', { evidenceHash: 'e0' }, 'ORDER_INVALID'],
    ['without evidence', { evidenceHash: null }, 'ORDER_INVALID'],
    ['by an operator', { actor: { ...dora, role: 'operator' } }, 'APPROVAL_NOT_COUNTED'],
    ['by somebody outside the group', { actor: { ...dora, groups: ['web'] } }, 'APPROVAL_NOT_COUNTED'],
    ['by who started the deployment', { actor: { ...dora, name: 'ann' } }, 'APPROVAL_NOT_COUNTED'],
  ] as const)('%s is refused', (_what, change, code) => {
    expect(refuse(waiting, emptyDesk, orderIn(waiting, 'approve', change))).toMatchObject({ code });
  });

  test('ends the wait when it is the last one that was missing, and not before', () => {
    const [contract] = plan.stages.filter(({ name }) => name === 'contract');
    const missing = contract === undefined ? 0 : approvalsMissing(plan, given, contract);
    expect(missing).toBe(1);
    expect(endWaitIfApproved(plan, given).waitingFor).toEqual(waiting.waitingFor);
    const dan = { ...dora, name: 'dan' };
    const both = takeOrder(
      { plan, progress: given, desk: emptyDesk },
      orderIn(given, 'approve', { id: 'o2', actor: dan }),
      6_000,
    );
    expect(endWaitIfApproved(plan, both.progress).waitingFor).toBeNull();
  });

  test('by the same person twice is refused, by another one taken', () => {
    expect(refuse(given, emptyDesk, orderIn(given, 'approve', { id: 'o2' }))).toMatchObject({ code: 'ORDER_REPEATED' });
    const other = { ...dora, name: 'dan' };
    expect(refuse(given, emptyDesk, orderIn(given, 'approve', { id: 'o2', actor: other }))).toBeNull();
  });

  test('is asked for again when the evidence is another one', () => {
    const changed = { ...given, evidence: { ...evidence, hash: 'e2' } };
    expect(refuse(changed, emptyDesk, orderIn(changed, 'approve', { id: 'o2', evidenceHash: 'e2' }))).toBeNull();
  });

  test('is what a skip counts as: by an approver, for this plan', () => {
    const grace = scenes['in grace'];
    expect(refuse(grace, emptyDesk, orderIn(grace, 'skip', { actor: { ...dora, role: 'operator' } }))).toMatchObject({
      code: 'APPROVAL_NOT_COUNTED',
    });
    expect(refuse(grace, emptyDesk, orderIn(grace, 'skip', { planHash: 'other' }))).toMatchObject({
      code: 'ORDER_INVALID',
    });
  });
});
