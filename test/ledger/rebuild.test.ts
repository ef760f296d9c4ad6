import {
  connectLedger,
  createLedgerReader,
  createLedgerWriter,
  migrateLedger,
  type Ledger,
  type LedgerReader,
  type LedgerWriter,
} from '../../ledger/index.ts';
import type { Approval } from '../../contracts/progress.ts';
import { eventOf } from '../api/support/deployment.ts';
import { freshDatabase } from '../support/servers.ts';
import { contentOf, knownOf } from './support.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
let writer: LedgerWriter;
let reader: LedgerReader;
beforeEach(async () => {
  database = await freshDatabase();
  ledger = connectLedger(database.url);
  await migrateLedger(ledger);
  writer = createLedgerWriter(ledger);
  reader = createLedgerReader(ledger);
});
afterEach(async () => {
  await ledger.destroy();
  await database.drop();
});

const id = 'lost-00000001';
const now = 9_000_000;
const kindsOf = async (): Promise<readonly string[]> =>
  (await reader.events(id, 0, 100)).map(({ event }) => `${event.seq} ${event.kind}`);

const approvalAt = (at: number): Approval => ({
  stage: 'cutover',
  actor: { name: 'dora', role: 'approver', groups: ['dba'], via: 'api' },
  reason: 'has moved',
  planHash: 'p',
  evidenceHash: 'e',
  at,
});

test('a deployment that the ledger has lost is found again, with plan, stages, approvals, and what is lost is said', async () => {
  const known = knownOf(writer, id, 41);
  const progress = { ...known.status.progress, approvals: [approvalAt(5), approvalAt(6)] };
  expect(await writer.rebuild({ ...known, status: { ...known.status, progress } }, now)).toEqual({
    wasKnown: false,
    lostEvents: 41,
  });
  expect(await reader.find(id)).toMatchObject({ seq: 41, status: { id, phase: known.status.phase } });
  const report = await reader.report(id);
  expect(report).toMatchObject({
    plan: known.plan,
    approvals: [
      { stage: 'cutover', by: 'dora', at: 5, reason: 'has moved' },
      { stage: 'cutover', by: 'dora', at: 6, reason: 'has moved' },
    ],
    decisions: [{ seq: 41, kind: 'rebuilt', at: now, data: { lost: 41, from: 1, to: 41 } }],
  });
  expect(report?.stages).toHaveLength(known.plan.stages.length);
  expect((await contentOf(ledger))['stages']).toHaveLength(known.plan.stages.length);
});

test('twice is like once', async () => {
  const known = knownOf(writer, id, 41);
  const progress = { ...known.status.progress, approvals: [approvalAt(5)] };
  const whole = { ...known, status: { ...known.status, progress } };
  await writer.rebuild(whole, now);
  const content = await contentOf(ledger);
  expect(await writer.rebuild(whole, now + 1)).toEqual({ wasKnown: true, lostEvents: 0 });
  expect(await contentOf(ledger)).toEqual(content);
});

test('what waits to be recorded is not lost, and comes on behind', async () => {
  const known = knownOf(writer, id, 10, 3);
  expect(await writer.rebuild(known, now)).toMatchObject({ lostEvents: 7 });
  await writer.record({ id, status: { ...known.status, changedAt: now }, events: known.carried.outbox ?? [] });
  expect(await kindsOf()).toEqual(['7 rebuilt', '8 finding', '9 finding', '10 finding']);
  expect(await reader.find(id)).toMatchObject({ seq: 10, status: { changedAt: now } });
});

test('what the deployment has recorded since the loss stands, and so does a status that is newer than the answer', async () => {
  const known = knownOf(writer, id, 12);
  const newer = { ...known.status, phase: 'in-grace' as const, changedAt: known.status.changedAt + 50 };
  await writer.record({
    id,
    status: newer,
    events: [
      eventOf({ seq: 11, kind: 'finding' }),
      eventOf({ seq: 12, kind: 'verdict' }),
      eventOf({ seq: 13, kind: 'finding' }),
    ],
  });
  expect(await reader.report(id)).toBeNull();
  expect(await writer.rebuild(known, now)).toEqual({ wasKnown: true, lostEvents: 10 });
  expect(await kindsOf()).toEqual(['10 rebuilt', '11 finding', '12 verdict', '13 finding']);
  expect(await reader.find(id)).toMatchObject({ seq: 13, status: { phase: 'in-grace' } });
  expect(await reader.report(id)).toMatchObject({ plan: known.plan });
});

test('a ledger from an older backup gets what came after it, as far as it is known', async () => {
  const known = knownOf(writer, id, 9);
  await writer.record({
    id,
    plan: known.plan,
    status: known.status,
    events: [1, 2, 3].map((seq) => eventOf({ seq, kind: 'finding' })),
  });
  const later = { ...known.status, changedAt: known.status.changedAt + 9, phase: 'in-grace' as const };
  expect(await writer.rebuild({ ...known, status: later }, now)).toEqual({ wasKnown: true, lostEvents: 6 });
  expect(await kindsOf()).toEqual(['1 finding', '2 finding', '3 finding', '9 rebuilt']);
  expect(await reader.find(id)).toMatchObject({ status: { phase: 'in-grace' } });
});

test('an approval that is there already is not told twice', async () => {
  const known = knownOf(writer, id, 2);
  const { actor, reason, at } = approvalAt(2_000_002);
  const data = { actor: { ...actor, groups: [...actor.groups] }, reason, planHash: 'p', evidenceHash: 'e' };
  await writer.record({
    id,
    plan: known.plan,
    status: known.status,
    events: [eventOf({ seq: 2, kind: 'approval', stage: 'cutover', data })],
  });
  const progress = { ...known.status.progress, approvals: [approvalAt(at), approvalAt(at + 1)] };
  await writer.rebuild({ ...known, status: { ...known.status, progress } }, now);
  expect((await reader.report(id))?.approvals.map((one) => one.at)).toEqual([at, at + 1]);
});

test('one that has ended says how, so that whoever follows it comes to the end', async () => {
  const known = knownOf(writer, id, 30);
  const outcome = { phase: 'deployed', because: 'all stages are done', at: 77 } as const;
  const status = { ...known.status, phase: 'deployed' as const, progress: { ...known.status.progress, outcome } };
  expect(await writer.rebuild({ ...known, status }, now)).toEqual({ wasKnown: false, lostEvents: 29 });
  expect(await kindsOf()).toEqual(['29 rebuilt', '30 ended']);
  expect(await reader.report(id)).toMatchObject({ outcome });
});

test('the request that has started it finds it again by the id that follows from its key', async () => {
  const known = knownOf(writer, id, 5);
  await writer.rebuild(known, now);
  expect(await reader.findStart('ann', 'key', id)).toMatchObject({ id, accepted: true, specHash: known.plan.specHash });
  const again = {
    id,
    plan: known.plan,
    startedBy: 'ann',
    startedAt: 1,
    keyScope: 'ann',
    keyHash: 'key',
    attempt: crypto.randomUUID(),
  };
  expect(await writer.saveStart(again)).toMatchObject({ id, accepted: true });
  expect(await reader.findStart('ann', 'key', 'another-00000002')).toBeNull();
});
