import { createHmac } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../tools/ports.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { besides, RealService, type Surroundings } from '../support/real-service.ts';
import { Receiver, type Received, type Reply } from '../support/receiver.ts';
import { freshDatabase } from '../support/servers.ts';

const key = 's'.repeat(32);
const secret = `whsec_${Buffer.from(key).toString('base64')}`;
/** Stands in every address and secret of a channel; nobody may see it. */
const marker = 'qzplanted';

interface CloudEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly data: { readonly seq: number; readonly phase: string; readonly because: string | null };
}
const eventOf = ({ body }: Received): CloudEvent => JSON.parse(body) as CloudEvent; // what `webhook.ts` makes

const addNote: TableSpec = {
  name: 'told',
  strategy: 'expand-contract',
  target: 'shop',
  table: 'public.payments',
  changes: [{ add: 'extra text', up: "'x' || id" }],
  contract: { after: '1s' },
  protect: { probe: false },
};

describe('notifications', () => {
  let hooks: Receiver;
  let chat: Receiver;
  let slow: Receiver;
  let service: RealService;
  let book: pg.Client;
  let surroundings: Surroundings;
  let folder: string;
  let metrics: string;
  let closeLog: () => Promise<void>;
  const answers: string[] = [];
  const ids: string[] = [];

  beforeAll(async () => {
    [hooks, chat, slow] = await Promise.all([Receiver.open(), Receiver.open(), Receiver.open()]);
    surroundings = {
      ...(await besides(await freshDatabase())),
      notify: {
        channels: {
          hooks: { kind: 'webhook', url: '${env:HOOKS_URL}', secret: '${env:HOOKS_SECRET}', default: true },
          chat: { kind: 'slack', url: '${env:CHAT_URL}', on: ['started', 'ended', 'going-back'] },
          slow: { kind: 'webhook', url: '${env:SLOW_URL}', secret: '${env:HOOKS_SECRET}', on: ['started'] },
        },
        env: {
          HOOKS_URL: hooks.url(`/${marker}hooks`),
          CHAT_URL: chat.url(`/services/${marker}chat`),
          SLOW_URL: slow.url(`/${marker}slow`),
          HOOKS_SECRET: secret,
        },
      },
    };
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-notifications-'));
    const log = await open(join(folder, 'log'), 'w');
    closeLog = () => log.close();
    metrics = `127.0.0.1:${await freePort()}`;
    service = await RealService.start(surroundings, { logLevel: 'debug', logTo: log.fd, workerMetrics: metrics });
    book = new pg.Client({ connectionString: surroundings.ledgerUrl });
    await book.connect();
    await service.payments(500);
  }, 60_000);
  afterAll(async () => {
    await book.end();
    await service.stop();
    await closeLog();
    await Promise.all([hooks.down(), chat.down(), slow.down()]);
    await rm(folder, { recursive: true });
  }, 60_000);

  /** Starts a deployment of a column of its own. */
  async function deploy(name: string, more: Partial<TableSpec> = {}): Promise<string> {
    const column = name.replaceAll('-', '_');
    const spec = { ...addNote, name, changes: [{ add: `${column} text`, up: "'x' || id" }], ...more };
    const { status } = await service.deploy(spec, name);
    ids.push(status.id);
    return status.id;
  }
  const of = (receiver: Receiver, id: string): CloudEvent[] =>
    receiver.received.map(eventOf).filter(({ subject }) => subject === id);
  const kindsOf = (events: readonly CloudEvent[]): string[] =>
    events.map(({ type }) => type.replace('dev.lakeshift.deployment.', ''));
  const told = (receiver: Receiver, id: string, kind: string): Promise<CloudEvent> =>
    service.until(`${kind} of ${id}`, async () => {
      const events = of(receiver, id);
      return events[kindsOf(events).indexOf(kind)] ?? null;
    });
  const sentOf = async (id: string): Promise<number> =>
    Number(
      (
        await book.query<{ n: string }>(
          `SELECT count(*) AS n FROM lakeshift_ledger.outbox WHERE deployment = $1 AND state = 'sent'`,
          [id],
        )
      ).rows[0]?.n,
    );
  const waitingOf = async (id: string): Promise<number> =>
    Number(
      (
        await book.query<{ n: string }>(
          `SELECT count(*) AS n FROM lakeshift_ledger.outbox WHERE deployment = $1 AND state = 'waiting'`,
          [id],
        )
      ).rows[0]?.n,
    );

  const verified = ({ headers, body }: Received): boolean => {
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  };

  test('tell of each turning point once, in order, signed, with an id of the deployment\u2019s event', async () => {
    const id = await deploy('told-all');
    await service.reaches(id, 'deployed');
    await told(hooks, id, 'ended');
    const events = of(hooks, id);
    const kinds = kindsOf(events);
    expect(kinds.slice(0, 3)).toEqual(['started', 'stage-began', 'stage-ended']);
    expect(kinds).toContain('in-grace');
    expect(kinds.at(-1)).toBe('ended');
    const seqs = events.map(({ data }) => data.seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(events.map((event) => event.id)).toEqual(seqs.map((seq) => `${id}-${seq}`));
    expect(new Set(seqs).size).toBe(seqs.length);
    expect(hooks.received.every(verified)).toBe(true);
    expect(hooks.received.map(({ headers }) => headers['webhook-id'])).toEqual(
      hooks.received.map((one) => eventOf(one).id),
    );
    expect(events.at(-1)?.data).toMatchObject({ phase: 'deployed', because: 'all stages are done' });
    await service.until('all to be marked', async () => ((await waitingOf(id)) === 0 ? true : null));
    expect(await sentOf(id)).toBe(events.length);
    // by default only `hooks` is told
    expect([chat.received.length, slow.received.length]).toEqual([0, 0]);
  }, 120_000);

  test('go to the channels that the spec names, and to Slack as a text with the reason and the way there', async () => {
    const id = await deploy('told-chat', { notify: ['chat'], contract: { after: '7d' } });
    await service.reaches(id, 'in-grace');
    expect((await service.order(id, 'rollback', { reason: 'too <early>' })).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    const texts = await service.until('three texts', async () =>
      chat.received.length === 3 ? chat.received.map(({ body }) => (JSON.parse(body) as { text: string }).text) : null,
    );
    expect(texts[0]).toMatch(/^\*told-chat\*: started by tester\nphase \S+ · .*target shop · local\n/);
    expect(texts[1]).toContain('because: rollback by tester: too &lt;early&gt;');
    expect(texts[2]).toMatch(/^\*told-chat\*: ended: rolled-back\n/);
    expect(texts[2]).toMatch(new RegExp(`${id} · <http://[^|]+/workflows/${id}\\|Temporal>$`));
    expect(of(hooks, id)).toEqual([]);
  }, 120_000);

  test('wait for a receiver that is down and reach it in order when it is up again, with the deployment long done', async () => {
    await hooks.down();
    const id = await deploy('told-later');
    await service.reaches(id, 'deployed');
    expect(await sentOf(id)).toBe(0);
    expect(await waitingOf(id)).toBeGreaterThan(5);
    await hooks.up();
    await told(hooks, id, 'ended');
    const seqs = of(hooks, id).map(({ data }) => data.seq);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    expect(kindsOf(of(hooks, id))).toEqual(expect.arrayContaining(['started', 'in-grace']));
  }, 180_000);

  test('are sent again, with the same id and a fresh signature, when the receiver answers 500, and not before it says with 429', async () => {
    const replies: Reply[] = [{ status: 500 }, { status: 429, headers: { 'retry-after': '3' } }];
    hooks.reply = () => replies.shift() ?? { status: 200 };
    const id = await deploy('told-again');
    await told(hooks, id, 'ended');
    hooks.reply = () => ({ status: 200 });
    const first = hooks.received.filter((one) => eventOf(one).id === of(hooks, id)[0]?.id);
    expect(first).toHaveLength(3);
    expect(new Set(first.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(first.map(({ body }) => body)).size).toBe(1);
    expect(first.every(verified)).toBe(true);
    const [, second, third] = first.map(({ at }) => at);
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThanOrEqual(2_900);
    await service.reaches(id, 'deployed');
  }, 120_000);

  test('of a slow receiver keep neither the deployment nor another channel waiting', async () => {
    slow.reply = () => null;
    const id = await deploy('told-slowly', { notify: ['slow', 'hooks'] });
    await service.reaches(id, 'deployed');
    await told(hooks, id, 'ended');
    expect(await waitingOf(id)).toBe(1);
    slow.reply = () => ({ status: 200 });
    await service.until('the slow one to be told', async () => ((await waitingOf(id)) === 0 ? true : null));
    const attempts = slow.received.map(eventOf);
    expect(attempts.length).toBeGreaterThan(1);
    expect(new Set(attempts.map((event) => event.id)).size).toBe(1);
  }, 180_000);

  test('come twice with the same id when the worker is killed between sending and marking, and no other worker sends meanwhile', async () => {
    let answer: (reply: Reply) => void = () => undefined;
    const held = new Promise<Reply>((resolve) => (answer = resolve));
    let sent: (one: Received) => void = () => undefined;
    const first = new Promise<Received>((resolve) => (sent = resolve));
    hooks.reply = (one) => {
      sent(one);
      return held;
    };
    const id = await deploy('told-twice');
    const one = await first;
    // it is taken by the receiver, but whoever sent it will never know
    await service.killWorker();
    answer({ status: 200 });
    hooks.reply = () => ({ status: 200 });
    await service.startWorker();
    await service.reaches(id, 'deployed');
    const before = hooks.received.filter(({ body }) => body === one.body).length;
    expect(before).toBe(1);
    await told(hooks, id, 'ended');
    const same = hooks.received.filter((other) => eventOf(other).id === eventOf(one).id);
    expect(same.map(({ body }) => body)).toEqual([one.body, one.body]);
  }, 180_000);

  test('are sent once each by two workers that run at the same time', async () => {
    await service.startWorker({ LAKESHIFT_WORKER_METRICS: undefined });
    const id = await deploy('told-once');
    await told(hooks, id, 'ended');
    await service.until('all to be marked', async () => ((await waitingOf(id)) === 0 ? true : null));
    const seqs = of(hooks, id).map(({ data }) => data.seq);
    expect(seqs).toHaveLength(new Set(seqs).size);
  }, 120_000);

  test('are refused where the spec names a channel that is not there, with the nearest name', async () => {
    for (const [notify, pointer] of [
      ['chats', '/notify'],
      [['hooks', 'chats'], '/notify/1'],
    ] as const) {
      const { status, body } = await service.post('/v1/plans', { ...addNote, notify });
      expect(status).toBe(422);
      expect(body).toMatchObject({
        code: 'SPEC_INVALID',
        errors: [{ pointer, detail: 'there is no channel chats in the configuration', didYouMean: 'chat' }],
      });
    }
  });

  test('stand in the metrics and in the log, and nothing of an address or a secret stands anywhere', async () => {
    // what waits is counted every 15 seconds
    const figures = await service.until('nothing to wait', async () => {
      const text = await (await fetch(`http://${metrics}/metrics`)).text();
      return /^lakeshift_notifications_waiting\{[^}]*channel="hooks"[^}]*\} 0$/m.test(text) ? text : null;
    });
    const sent = /^lakeshift_notifications\{[^}]*channel="hooks"[^}]*result="sent"[^}]*\} ([1-9]\d*)$/m.exec(figures);
    expect(sent).not.toBeNull();
    for (const id of ids)
      for (const path of ['', '/report'])
        answers.push(await (await fetch(`${service.address}/v1/deployments/${id}${path}`)).text());
    const { rows } = await book.query<{ row: string }>(
      `SELECT t::text AS row FROM lakeshift_ledger.outbox t UNION ALL SELECT t::text FROM lakeshift_ledger.events t
       UNION ALL SELECT t::text FROM lakeshift_ledger.deployments t`,
    );
    const log = await readFile(join(folder, 'log'), 'utf8');
    expect(log).toContain('a channel takes no notifications; trying again');
    expect(log).toContain('a channel takes notifications again');
    const all = [figures, log, ...answers, ...rows.map(({ row }) => row)].join('\n');
    expect(all.length).toBeGreaterThan(50_000);
    for (const planted of [marker, secret, secret.slice(6), key]) expect(all.includes(planted)).toBe(false);
    // and nothing of the rows, the statements or the failures goes out
    const out = [...hooks.received, ...chat.received, ...slow.received].map(({ body }) => body).join('\n');
    for (const word of ['ADD COLUMN', "'x' ||", 'numeric', marker]) expect(out).not.toContain(word);
  });
});
