import { sql } from 'kysely';
import type { Notification } from '../../contracts/notifications.ts';
import {
  connectLedger,
  createOutbox,
  migrateLedger,
  moveLedger,
  type ClaimedMessage,
  type Ledger,
  type Outbox,
} from '../../ledger/index.ts';
import { deploymentOf } from '../api/support/deployment.ts';
import { freshDatabase } from '../support/servers.ts';
import { tellingWriter } from './support.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
let outbox: Outbox;
beforeEach(async () => {
  database = await freshDatabase();
  ledger = connectLedger(database.url);
  outbox = createOutbox(ledger);
  await migrateLedger(ledger);
});
afterEach(async () => {
  await ledger.destroy();
  await database.drop();
});

const lease = 60_000;
const told = (id: string, ...channels: readonly string[]) => deploymentOf(tellingWriter(ledger, ...channels), id);
const claim = (channel = 'ops', most = 100): Promise<readonly ClaimedMessage[]> => outbox.claim(channel, most, lease);
const seqs = (messages: readonly ClaimedMessage[]): readonly number[] => messages.map(({ seq }) => seq).sort();
const later = { answer: 'HTTP 500', refused: false, inMs: 3_600_000, quietMs: null };
/** Lets everything that waits be due. */
const timePasses = () => sql`update lakeshift_ledger.outbox set next_at = clock_timestamp()`.execute(ledger);
const rows = async (): Promise<readonly { state: string; seq: number; channel: string }[]> =>
  (
    await sql<{ state: string; seq: number; channel: string }>`
      select state, seq, channel from lakeshift_ledger.outbox order by seq, channel`.execute(ledger)
  ).rows;

test('what is worth telling is noted for each channel with its event, and nothing else is', async () => {
  const kept = told('kept-00000001', 'ops', 'chat');
  const { id } = kept;
  await kept.tell({ seq: 1, kind: 'started', data: { actor: { name: 'ann' } } });
  await kept.tell({ seq: 2, kind: 'reading' });
  expect((await rows()).map(({ seq, channel }) => [seq, channel])).toEqual([
    [1, 'chat'],
    [1, 'ops'],
  ]);
  const [one] = await claim('chat');
  expect(one).toMatchObject({ deployment: id, seq: 1, tries: 1 });
  const expected: Partial<Notification> = {
    deployment: id,
    seq: 1,
    at: 2_000_001,
    point: 'started',
    text: 'started by ann',
  };
  expect(one?.message).toMatchObject(expected);
  expect(one?.ageMs).toBeGreaterThanOrEqual(0);
  expect(one?.ageMs).toBeLessThan(60_000);
});

test('an entry that is recorded twice is told once, also when the first message is long forgotten', async () => {
  const kept = told('kept-00000001', 'ops');
  await kept.tell({ seq: 1, kind: 'started' });
  await kept.tell({ seq: 1, kind: 'started' });
  const messages = await claim();
  expect(seqs(messages)).toEqual([1]);
  for (const message of messages) await outbox.markSent('ops', message, 'HTTP 200');
  await outbox.forget(0);
  expect(await rows()).toEqual([]);
  await kept.tell({ seq: 1, kind: 'started' });
  expect(await rows()).toEqual([]);
});

test('the channels are those that the spec of the plan names', async () => {
  const writer = tellingWriter(ledger, 'ops', 'chat');
  for (const [n, notify] of [
    ['1', 'chat'],
    ['2', ['ops', 'gone']],
    ['3', []],
  ] as const) {
    const { id, plan, status } = deploymentOf(writer, `kept-0000000${n}`);
    const named = { ...plan, spec: { ...plan.spec, notify } } as typeof plan;
    const event = { seq: 1, at: 1, kind: 'started', stage: null, text: 'x', data: {} } as const;
    await writer.record({ id, plan: named, status, events: [event] });
    // later entries come without the plan
    await writer.record({ id, status: { ...status, changedAt: 9 }, events: [{ ...event, seq: 2 }] });
  }
  const { rows: found } = await sql<{ it: string }>`
    select deployment || ' ' || seq || ' ' || channel as it from lakeshift_ledger.outbox order by 1`.execute(ledger);
  expect(found.map(({ it }) => it)).toEqual([
    'kept-00000001 1 chat',
    'kept-00000001 2 chat',
    'kept-00000002 1 ops',
    'kept-00000002 2 ops',
  ]);
});

test('many workers that claim at the same moment never get the same message', async () => {
  const writer = tellingWriter(ledger, 'ops');
  for (let n = 10; n < 40; n += 1) await deploymentOf(writer, `kept-000000${n}`).tell({ seq: 1, kind: 'started' });
  const workers = Array.from({ length: 4 }, () => connectLedger(database.url, { connections: 2 }));
  const claimed = await Promise.all(
    workers.flatMap((worker) => [1, 2, 3].map(() => createOutbox(worker).claim('ops', 4, lease))),
  );
  await Promise.all(workers.map((worker) => worker.destroy()));
  const rest = await claim();
  const all = [...claimed.flat(), ...rest].map(({ deployment }) => deployment);
  expect(all).toHaveLength(30);
  expect(new Set(all).size).toBe(30);
});

test('messages of a deployment come in order, and those of another do not wait for them', async () => {
  const [one, other] = [told('kept-00000001', 'ops'), told('kept-00000002', 'ops')];
  for (const seq of [1, 2, 3]) await one.tell({ seq, kind: 'stage-began' });
  await other.tell({ seq: 7, kind: 'started' });
  const first = await claim();
  expect(seqs(first)).toEqual([1, 7]);
  expect(await claim()).toEqual([]);
  for (const message of first) await outbox.markSent('ops', message, 'HTTP 200');
  const [second] = await claim();
  expect(second?.seq).toBe(2);
  if (second !== undefined) await outbox.putOff('ops', second, later);
  expect(await claim()).toEqual([]);
});

test('a message that its receiver refuses holds up none', async () => {
  const kept = told('kept-00000001', 'ops');
  for (const seq of [1, 2]) await kept.tell({ seq, kind: 'stage-began' });
  const [first] = await claim();
  if (first !== undefined) await outbox.putOff('ops', first, { ...later, refused: true });
  expect(seqs(await claim())).toEqual([2]);
  await timePasses();
  expect(seqs(await claim())).toEqual([1, 2]);
});

test('what a worker took and never spoke of again is another one\u2019s when its time is over, and the first one is heard no more', async () => {
  await told('kept-00000001', 'ops').tell({ seq: 1, kind: 'started' });
  const [first] = await claim();
  expect(await claim()).toEqual([]);
  await timePasses();
  const [second] = await claim();
  expect(second).toMatchObject({ seq: 1, tries: 2 });
  if (first !== undefined) await outbox.putOff('ops', first, { ...later, inMs: 0 });
  expect(await claim()).toEqual([]);
  if (first !== undefined) await outbox.markSent('ops', first, 'HTTP 200');
  expect(await rows()).toMatchObject([{ state: 'waiting' }]);
  if (second !== undefined) await outbox.markSent('ops', second, 'HTTP 200');
  expect(await rows()).toMatchObject([{ state: 'sent' }]);
});

test('a receiver that asks for quiet gets it for the whole channel, and no other channel does', async () => {
  const writer = tellingWriter(ledger, 'ops', 'chat');
  for (const n of [1, 2, 3]) await deploymentOf(writer, `kept-0000000${n}`).tell({ seq: 1, kind: 'started' });
  const [first] = await claim('ops', 1);
  if (first !== undefined) await outbox.putOff('ops', first, { ...later, quietMs: 3_600_000 });
  expect(await claim('ops')).toEqual([]);
  expect(await claim('chat')).toHaveLength(3);
});

test('what no worker knows any more is given up when nobody has tried it for long, and what is waited for is counted', async () => {
  await told('kept-00000001', 'ops', 'gone').tell({ seq: 1, kind: 'started' });
  expect(Object.fromEntries(await outbox.countWaiting())).toEqual({ ops: 1, gone: 1 });
  expect(await outbox.giveUpUnknown(['ops'], 0)).toEqual([]);
  await sql`update lakeshift_ledger.outbox set next_at = clock_timestamp() - interval '25 hours'`.execute(ledger);
  expect(await outbox.giveUpUnknown(['ops'], 3_600_000)).toEqual([]);
  expect(await outbox.giveUpUnknown(['ops'], 0)).toEqual([{ deployment: 'kept-00000001', channel: 'gone' }]);
  expect(await rows()).toMatchObject([
    { channel: 'gone', state: 'given-up' },
    { channel: 'ops', state: 'waiting' },
  ]);
});

test('a ledger that the API has not migrated yet takes what a newer worker records, and nobody is told', async () => {
  await moveLedger(ledger, 2);
  await told('kept-00000001', 'ops').tell({ seq: 1, kind: 'started' });
  await migrateLedger(ledger);
  expect(await rows()).toEqual([]);
  await told('kept-00000001', 'ops').tell({ seq: 2, kind: 'ended' });
  expect(await rows()).toMatchObject([{ seq: 2 }]);
});

test('a transaction that fails after all keeps neither the event nor the message', async () => {
  const writer = tellingWriter(ledger, 'ops');
  const { id, plan, status } = deploymentOf(writer, 'kept-00000001');
  const event = { seq: 1, at: 1, kind: 'started', stage: null, text: 'x', data: {} } as const;
  // stages come last, and none may be there twice
  const stages = [...status.progress.stages, ...status.progress.stages];
  const broken = { ...status, progress: { ...status.progress, stages } };
  await expect(writer.record({ id, plan, status: broken, events: [event] })).rejects.toThrow(/second time/);
  expect(await rows()).toEqual([]);
  await writer.record({ id, plan, status, events: [event] });
  expect(await rows()).toHaveLength(1);
});
