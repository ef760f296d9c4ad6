import { Writable } from 'node:stream';
import { sql } from 'kysely';
import { pino } from 'pino';
import { channels } from '../../../activities/notify/index.ts';
import { connectLedger, createOutbox, migrateLedger, type Ledger } from '../../../ledger/index.ts';
import { ChannelSender } from '../../../worker/notify/channel-sender.ts';
import type { Result } from '../../../worker/notify/figures.ts';
import { deploymentOf } from '../../api/support/deployment.ts';
import { tellingWriter } from '../../ledger/support.ts';
import { Receiver } from '../../support/receiver.ts';
import { freshDatabase } from '../../support/servers.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
let receiver: Receiver;
beforeEach(async () => {
  database = await freshDatabase();
  ledger = connectLedger(database.url);
  await migrateLedger(ledger);
  receiver = await Receiver.open();
});
afterEach(async () => {
  await ledger.destroy();
  await Promise.all([database.drop(), receiver.down()]);
});

/** A sender that runs, and what it says of itself. */
function started() {
  const lines: Record<string, unknown>[] = [];
  const results: Result[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>); // pino writes an object a line
      done();
    },
  });
  const sender = new ChannelSender({
    name: 'ops',
    channel: channels.slack({ url: receiver.url('/planted'), secret: null }),
    outbox: createOutbox(ledger),
    links: () => ({ environment: 'test', api: null, temporal: 'http://127.0.0.1/t' }),
    figures: { count: (_channel, result) => results.push(result), waiting: () => undefined },
    log: pino({ level: 'info', base: null }, sink),
  });
  const served = sender.serve();
  const stop = async (): Promise<void> => {
    sender.stop();
    await served;
  };
  return { sender, stop, lines, results, said: () => lines.map(({ msg }) => msg) };
}

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds());) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const states = async (): Promise<readonly string[]> =>
  (
    await sql<{ it: string }>`
      select concat_ws(' ', seq, state, answer) as it from lakeshift_ledger.outbox order by seq`.execute(ledger)
  ).rows.map(({ it }) => it);
const tell = (seq: number) =>
  deploymentOf(tellingWriter(ledger, 'ops'), 'kept-00000001').tell({ seq, kind: 'stage-began' });

test('what fails after three days is given up: in the log with its last answer, in the figures, and in the outbox', async () => {
  await tell(1);
  await sql`update lakeshift_ledger.outbox set noted_at = noted_at - interval '3 days'`.execute(ledger);
  receiver.reply = () => ({ status: 503 });
  const { stop, lines, results } = started();
  await until(async () => (await states())[0] === '1 given-up HTTP 503', 'the end');
  await stop();
  expect(results).toEqual(['given-up']);
  expect(lines).toEqual([
    expect.objectContaining({
      msg: 'a notification is given up',
      level: 50,
      channel: 'ops',
      deployment: 'kept-00000001',
      seq: 1,
      tries: 1,
      because: 'HTTP 503',
    }),
  ]);
  expect(JSON.stringify(lines)).not.toContain('planted');
});

test('one that was not tried for three days, because there was no worker, is tried', async () => {
  await tell(1);
  await sql`update lakeshift_ledger.outbox set noted_at = noted_at - interval '9 days'`.execute(ledger);
  const { stop } = started();
  await until(async () => (await states())[0] === '1 sent HTTP 200', 'the message');
  await stop();
});

test('a receiver that is gone is told of once, and once more when it is back; what was noted comes in order', async () => {
  await receiver.down();
  for (const seq of [1, 2, 3]) await tell(seq);
  const { stop, said, results } = started();
  await until(() => results.filter((result) => result === 'failed').length >= 2, 'two tries');
  await receiver.up();
  await until(() => receiver.received.length === 3, 'all three');
  await stop();
  expect(said()).toEqual(['a channel takes no notifications; trying again', 'a channel takes notifications again']);
  expect(await states()).toEqual(['1 sent HTTP 200', '2 sent HTTP 200', '3 sent HTTP 200']);
});

test('a message that is refused is told of once, and the next one is sent', async () => {
  let first = true;
  receiver.reply = () => {
    const status = first ? 400 : 200;
    first = false;
    return { status };
  };
  await tell(1);
  const { sender, stop, said, results } = started();
  await until(() => results.includes('failed'), 'the refusal');
  await tell(2);
  sender.nudge();
  await until(() => receiver.received.length === 3, 'both');
  await until(async () => (await states()).every((state) => state.includes('sent')), 'both to be marked');
  await stop();
  expect(said()).toEqual(['a channel refuses a notification; trying again']);
});

test('a nudge is enough to be sent at once; without one it is found all the same', async () => {
  const { sender, stop } = started();
  await tell(1);
  await until(() => receiver.received.length === 1, 'the first');
  await tell(2);
  sender.nudge();
  await until(() => receiver.received.length === 2, 'the second');
  await stop();
});

test('a ledger that does not answer, or has no outbox yet, is waited for', async () => {
  await sql`alter table lakeshift_ledger.outbox rename to outbox_elsewhere`.execute(ledger);
  const { stop, lines, said } = started();
  await until(() => said().length > 0, 'a word');
  expect(lines[0]).toMatchObject({ because: 'the ledger does not answer (42P01)' });
  await sql`alter table lakeshift_ledger.outbox_elsewhere rename to outbox`.execute(ledger);
  await tell(1);
  await until(() => receiver.received.length === 1, 'the message');
  await stop();
}, 60_000);

test('stopping lets what is on its way come to its end, and begins nothing', async () => {
  let answer: () => void = () => undefined;
  receiver.reply = () =>
    new Promise((resolve) => {
      answer = () => {
        resolve({ status: 200 });
      };
    });
  for (const seq of [1, 2]) await tell(seq);
  const { stop } = started();
  await until(() => receiver.received.length === 1, 'the first');
  const stopped = stop();
  answer();
  await stopped;
  expect(await states()).toEqual(['1 sent HTTP 200', '2 waiting']);
});
