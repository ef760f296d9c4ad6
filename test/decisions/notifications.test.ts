import { eventKinds, type DeploymentEvent } from '../../contracts/events.ts';
import { turningPoints } from '../../contracts/notifications.ts';
import { channelsFor } from '../../decisions/notifications/channels-for.ts';
import { nextTry, triedFor } from '../../decisions/notifications/next-try.ts';
import { notificationOf } from '../../decisions/notifications/notification-of.ts';
import { turningPointOf } from '../../decisions/notifications/turning-point.ts';
import { statusOf } from '../api/support/fake-engine.ts';
import { eventOf } from '../api/support/deployment.ts';
import { testPlan } from '../support/plans.ts';

const ann = { name: 'ann', role: 'operator', groups: [], via: 'api' } as const;
const status = statusOf({ id: 'payments-cents-00000001', plan: testPlan(), startedBy: ann, startedAt: 1 });
const told = (event: Pick<DeploymentEvent, 'kind'> & Partial<DeploymentEvent>) =>
  notificationOf(status, eventOf({ seq: 7, ...event }));

/** Keys of rows, as a failure names them. */
const keys = '3 of 1000 rows differ, first keys: ada@example.com, bob@example.com';

describe('what is told of an event', () => {
  test.each<[string, Partial<DeploymentEvent> & Pick<DeploymentEvent, 'kind'>, string, string, string | null]>([
    ['a start', { kind: 'started', data: { actor: { name: 'ann' } } }, 'started', 'started by ann', null],
    [
      'the beginning of a stage, without its title, which holds SQL',
      { kind: 'stage-began', text: 'backfill began: ADD COLUMN secret text' },
      'stage-began',
      'backfill began',
      null,
    ],
    ['its end', { kind: 'stage-ended', text: 'backfill ended: 7 rows' }, 'stage-ended', 'backfill ended', null],
    [
      'an approval that is waited for',
      { kind: 'waiting', text: 'waits for 1 approval of dba', data: { what: 'approval' } },
      'waiting-for-approval',
      'waits for 1 approval of dba',
      null,
    ],
    [
      'a proof that is waited for',
      { kind: 'waiting', text: 'waits for checkout: checking', data: { what: 'proof', after: 'checkout' } },
      'waiting-for-proof',
      'waits for checkout: checking',
      null,
    ],
    [
      'the beginning of grace',
      { kind: 'waiting', text: 'keeps the old shape until then', data: { what: 'grace', deadline: 5 } },
      'in-grace',
      'keeps the old shape until then',
      null,
    ],
    [
      'an order, with who and why',
      { kind: 'order', data: { order: 'pause', actor: { name: 'ann' }, reason: 'lunch\n at noon' } },
      'order',
      'pause by ann',
      'lunch at noon',
    ],
    [
      'an approval',
      { kind: 'approval', data: { order: 'approve', actor: { name: 'dora' }, reason: 'seen' } },
      'approval',
      'approve by dora',
      'seen',
    ],
    [
      'an approval that does not count',
      {
        kind: 'approval-refused',
        data: { order: 'approve', actor: { name: 'eve' }, code: 'APPROVAL_NOT_COUNTED', detail: keys },
      },
      'approval-refused',
      'approve by eve was refused',
      'APPROVAL_NOT_COUNTED: This approval does not count',
    ],
    [
      'a call for help, by the code of the failure and never by its detail',
      {
        kind: 'parked',
        text: `needs attention: VERIFY_DIFFERS ${keys}`,
        data: { code: 'VERIFY_DIFFERS', detail: keys },
      },
      'parked',
      'needs attention',
      'VERIFY_DIFFERS: Rows differ between the two shapes',
    ],
    [
      'the way back, when it is another one',
      { kind: 'way-back', data: { verdict: 'losing', rows: 3, because: 'the old shape cannot hold 3 writes' } },
      'way-back',
      'going back is losing now',
      'the old shape cannot hold 3 writes',
    ],
    [
      'going back by an order',
      {
        kind: 'verdict',
        text: 'going back: rollback by ann: it is slow',
        data: { decision: 'rollback', because: 'rollback by ann: it is slow' },
      },
      'going-back',
      'goes back',
      'rollback by ann: it is slow',
    ],
    [
      'going back for a failure',
      {
        kind: 'verdict',
        text: `going back: verify failed: VERIFY_DIFFERS ${keys}`,
        data: { decision: 'rollback', because: `verify failed: VERIFY_DIFFERS ${keys}` },
      },
      'going-back',
      'goes back',
      'verify failed: VERIFY_DIFFERS: Rows differ between the two shapes',
    ],
    [
      'going back for what the preflight found',
      { kind: 'verdict', text: `going back: ${keys}`, data: { decision: 'rollback', because: keys } },
      'going-back',
      'goes back',
      'what was seen speaks against it; the report says what',
    ],
    [
      'a dependency that is away',
      { kind: 'breaker', data: { name: 'scores-db', state: 'open', before: 'closed', because: keys } },
      'breaker',
      'scores-db is away: everything goes to the stable side',
      null,
    ],
    [
      'a dependency that is back',
      { kind: 'breaker', data: { name: 'scores-db', state: 'closed', because: keys } },
      'breaker',
      'scores-db is back',
      null,
    ],
    [
      'an undo',
      { kind: 'undo-ended', text: 'undo of backfill ended' },
      'stage-undone',
      'backfill was taken back',
      null,
    ],
    [
      'the end',
      { kind: 'ended', stage: null, data: { phase: 'deployed', because: 'all stages are done' } },
      'ended',
      'ended: deployed',
      'all stages are done',
    ],
  ])('%s', (_, event, point, text, because) => {
    expect(told(event)).toEqual({
      deployment: 'payments-cents-00000001',
      seq: 7,
      at: 2_000_007,
      point,
      name: 'payments-cents',
      target: 'shop',
      strategy: 'expand-contract',
      phase: status.phase,
      stage: event.stage === null ? null : 'backfill',
      text,
      because,
    });
  });

  test.each<[string, Partial<DeploymentEvent> & Pick<DeploymentEvent, 'kind'>]>([
    ['a reading', { kind: 'reading' }],
    ['what a check says', { kind: 'verdict', text: 'rollback: too many', data: { decision: 'rollback' } }],
    ['what is tried again', { kind: 'waiting', data: { code: 'TARGET_BUSY', detail: 'x' } }],
    ['a finding', { kind: 'finding' }],
    ['an order that was refused', { kind: 'order-refused' }],
    ['evidence', { kind: 'evidence' }],
    ['the beginning of an undo', { kind: 'undo-began' }],
    ['a rebuild', { kind: 'rebuilt' }],
    ['a dependency that is being tried', { kind: 'breaker', data: { name: 'scores-db', state: 'half-open' } }],
    ['one that was tried in vain', { kind: 'breaker', data: { name: 'db', state: 'open', before: 'half-open' } }],
  ])('nothing of %s', (_, event) => {
    expect(told(event)).toBeNull();
  });

  test('is known of every kind of event, and no turning point is without one', () => {
    const data = [{}, { what: 'approval' }, { what: 'proof' }, { deadline: 1 }, { decision: 'rollback' }];
    const met = eventKinds.flatMap((kind) =>
      data.map((facts) => turningPointOf(eventOf({ seq: 1, kind, text: 'going back', data: facts }))),
    );
    expect(turningPoints.filter((point) => !met.includes(point))).toEqual([]);
  });

  test('is one line of bounded length', () => {
    const { because = '' } =
      told({ kind: 'order', data: { order: 'pause', actor: 'ann', reason: 'a b\n'.repeat(999) } }) ?? {};
    expect(because).toHaveLength(300);
    expect(because).not.toContain('\n');
  });
});

describe('the channels that are told', () => {
  const all = {
    ops: { on: turningPoints, isDefault: true },
    people: { on: ['parked', 'ended'], isDefault: false },
    ends: { on: ['ended'], isDefault: true },
  } as const;
  test.each<[string, 'parked' | 'ended', readonly string[] | null, readonly string[]]>([
    ['the default ones where the spec names none', 'ended', null, ['ops', 'ends']],
    ['of these, those that want this turning point', 'parked', null, ['ops']],
    ['the named ones alone', 'parked', ['people'], ['people']],
    ['nobody where the spec says so', 'ended', [], []],
    ['none that is no longer there', 'ended', ['gone', 'people'], ['people']],
  ])('are %s', (_, point, named, expected) => {
    expect(channelsFor(point, named, all)).toEqual(expected);
  });
});

describe('a message that was not taken', () => {
  const not = { taken: false, refused: false, because: 'HTTP 500', retryAfterMs: null } as const;
  const inMs = (tries: number, chance: number, retryAfterMs: number | null = null) => {
    const next = nextTry({ ...not, retryAfterMs }, tries, 0, chance);
    return next.giveUp ? null : next.inMs;
  };

  test('is tried twice as late each time, up to ten minutes, with up to half of it taken off by chance', () => {
    expect([1, 2, 3, 10, 11, 99].map((tries) => inMs(tries, 0))).toEqual([
      1_000, 2_000, 4_000, 512_000, 600_000, 600_000,
    ]);
    expect([inMs(3, 1), inMs(3, 0.5)]).toEqual([2_000, 3_000]);
  });

  test('is tried no sooner than the receiver asks for, if that is at most an hour', () => {
    expect([inMs(1, 0, 30_000), inMs(9, 0, 1), inMs(1, 0, 9e9)]).toEqual([30_000, 256_000, 3_600_000]);
  });

  test('is given up after three days', () => {
    expect(nextTry(not, 400, triedFor - 1, 0)).toMatchObject({ giveUp: false });
    expect(nextTry(not, 400, triedFor, 0)).toEqual({ giveUp: true });
  });
});
