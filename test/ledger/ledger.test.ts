import fc from 'fast-check';
import { sql } from 'kysely';
import type { LedgerEntry } from '../../contracts/events.ts';
import type { DeploymentPage } from '../../contracts/api.ts';
import {
  connectLedger,
  createLedgerReader,
  createLedgerWriter,
  migrateLedger,
  type Ledger,
  type LedgerReader,
  type LedgerWriter,
} from '../../ledger/index.ts';
import { deploymentOf, eventOf, liveOf } from '../api/support/deployment.ts';
import { freshDatabase } from '../support/servers.ts';
import { testPlan } from '../support/plans.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
let writer: LedgerWriter;
let reader: LedgerReader;
beforeAll(async () => {
  database = await freshDatabase();
  ledger = connectLedger(database.url);
  await migrateLedger(ledger);
  writer = createLedgerWriter(ledger);
  reader = createLedgerReader(ledger);
});
afterAll(async () => {
  await ledger.destroy();
  await database.drop();
});

let count = 0;
const newId = (name = 'kept'): string => `${name}-${(count += 1).toString(16).padStart(8, '0')}`;

/** Everything that the ledger has of one deployment, but for when it got it. */
async function contentOf(id: string): Promise<unknown> {
  const tables = ['deployments', 'events', 'stages', 'readings', 'verdicts', 'orders', 'approvals'] as const;
  const content: Record<string, unknown> = {};
  for (const table of tables) {
    const key = table === 'deployments' ? 'id' : 'deployment';
    const { rows } = await sql<Record<string, unknown>>`
      select to_jsonb(t) - 'recorded_at' as row from ${sql.table(`lakeshift_ledger.${table}`)} t
      where ${sql.ref(key)} = ${id} order by to_jsonb(t) - 'recorded_at'`.execute(ledger);
    content[table] = JSON.parse(JSON.stringify(rows).replaceAll(id, 'id'));
  }
  return content;
}

describe('migrations', () => {
  test('run once, however many processes start at the same time', async () => {
    const own = await freshDatabase();
    const processes = Array.from({ length: 6 }, () => connectLedger(own.url, { connections: 2 }));
    const done = await Promise.all(processes.map((each) => migrateLedger(each)));
    expect(done.flat()).toEqual(['0001-deployments', '0002-plans', '0003-outbox']);
    expect(await migrateLedger(processes[0] as Ledger)).toEqual([]);
    await Promise.all(processes.map((each) => each.destroy()));
    await own.drop();
  });

  test('touch nothing outside of their schema', async () => {
    const { rows } = await sql<{ name: string }>`
      select table_schema || '.' || table_name as name from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema', 'lakeshift_ledger')`.execute(ledger);
    expect(rows).toEqual([]);
  });

  test('need no more than a schema that is there already', async () => {
    const own = await freshDatabase();
    const [admin, guest] = [connectLedger(own.superuserUrl), connectLedger(own.url)];
    const { username, pathname } = new URL(own.url);
    await sql`create schema lakeshift_ledger authorization ${sql.id(username)}`.execute(admin);
    await sql`revoke create on database ${sql.id(pathname.slice(1))} from ${sql.id(username)}`.execute(admin);
    expect(await migrateLedger(guest)).toEqual(['0001-deployments', '0002-plans', '0003-outbox']);
    await Promise.all([admin.destroy(), guest.destroy()]);
    await own.drop();
  });
});

const actor = { name: 'dora', role: 'approver', groups: ['dba'], via: 'api' };

/** A deployment's whole life in entries, as its workflow would hand them over. */
function life(id: string): LedgerEntry[] {
  const { plan, status } = deploymentOf(writer, id);
  const at = (changedAt: number, phase: typeof status.phase, state: 'pending' | 'running' | 'done') => ({
    ...status,
    phase,
    changedAt,
    progress: {
      ...status.progress,
      stages: status.progress.stages.map((stage, i) =>
        i === 0 ? { ...stage, state, beganAt: 5, rows: changedAt } : stage,
      ),
    },
  });
  return [
    { id, plan, status: at(1, 'checking', 'pending'), events: [eventOf({ seq: 1, kind: 'started' })] },
    { id, status: at(2, 'checking', 'running'), events: [] },
    {
      id,
      status: at(3, 'backfilling', 'running'),
      events: [
        eventOf({ seq: 2, kind: 'reading', data: { name: 'misfits', value: null, unit: 'rows', at: 4 } }),
        eventOf({ seq: 3, kind: 'verdict', data: { decision: 'hold', because: 'nobody could see' } }),
      ],
    },
    {
      id,
      status: at(4, 'waiting-for-approval', 'done'),
      events: [
        eventOf({ seq: 4, kind: 'order', data: { order: 'pause', id: 'o1', actor, reason: 'lunch' } }),
        eventOf({
          seq: 5,
          kind: 'order-refused',
          data: { order: 'skip', id: 'o2', actor, reason: 'no', code: 'ORDER_STALE' },
        }),
        eventOf({ seq: 6, kind: 'approval', data: { actor, reason: 'fine', planHash: 'p', evidenceHash: null } }),
      ],
    },
    { id, status: at(5, 'deployed', 'done'), events: [eventOf({ seq: 7, kind: 'ended', data: { lockMs: 11.5 } })] },
  ];
}

describe('recording', () => {
  test('keeps events and what is read from them', async () => {
    const id = newId();
    for (const entry of life(id)) await writer.record(entry);
    expect(await contentOf(id)).toMatchObject({
      deployments: [{ row: { phase: 'deployed', seq: 7, environment: 'test', target: 'shop', started_by: 'ann' } }],
      readings: [{ row: { name: 'misfits', value: null, unit: 'rows' } }],
      verdicts: [{ row: { decision: 'hold', because: 'nobody could see' } }],
      orders: [
        { row: { order_name: 'pause', taken: true, actor: 'dora', role: 'approver', via: 'api', refused_with: null } },
        { row: { order_name: 'skip', taken: false, refused_with: 'ORDER_STALE' } },
      ],
      approvals: [{ row: { actor: 'dora', groups: ['dba'], reason: 'fine', plan_hash: 'p', counts: true } }],
    });
  });

  test('gives the same ledger in any order, with any repetition, at the same time or not', async () => {
    const straight = newId();
    for (const entry of life(straight)) await writer.record(entry);
    const wanted = await contentOf(straight);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 4 }), { maxLength: 8 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
        fc.boolean(),
        async (repeated, order, together) => {
          const id = newId();
          const entries = life(id);
          const todo = [...repeated, ...order].flatMap((index) => entries[index] ?? []);
          if (together) await Promise.all(todo.map((entry) => writer.record(entry)));
          else for (const entry of todo) await writer.record(entry);
          expect(await contentOf(id)).toEqual(wanted);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('never takes a status back', async () => {
    const id = newId();
    const [first, , third] = life(id);
    await writer.record(third as LedgerEntry);
    await writer.record(first as LedgerEntry);
    expect((await reader.find(id))?.status.phase).toBe('backfilling');
    expect((await reader.events(id, 0, 10)).map(({ event }) => event.seq)).toEqual([1, 2, 3]);
  });

  test('an acceptance makes it a deployment at once, and changes nothing of what its workflow has told', async () => {
    const id = newId();
    const status = { ...deploymentOf(writer, id).status, changedAt: 1 };
    await writer.recordAccepted(status);
    expect(await reader.find(id)).toEqual({ status, seq: 0, live: null });
    const wanted = newId();
    for (const entry of life(wanted)) await writer.record(entry);
    for (const entry of life(id)) await writer.record(entry);
    await writer.recordAccepted(status);
    expect(await contentOf(id)).toEqual(await contentOf(wanted));
  });

  test('takes texts that PostgreSQL could not keep as they are', async () => {
    const id = newId();
    const { status } = deploymentOf(writer, id);
    const reason = `nul \0 half \ud800 whole \u{1f600}`;
    const data = { order: 'pause', id: 'o', actor: { ...actor, name: 'nul \0' }, reason };
    await writer.record({ id, status, events: [eventOf({ seq: 1, kind: 'order', text: reason, data })] });
    const [kept] = await reader.events(id, 0, 10);
    expect(kept?.event.text).toBe('nul \ufffd half \ufffd whole \u{1f600}');
  });

  test('is all or nothing', async () => {
    const id = newId();
    const { status } = deploymentOf(writer, id);
    const bad = eventOf({ seq: 2 ** 40, kind: 'verdict' });
    await expect(writer.record({ id, status, events: [eventOf({ seq: 1, kind: 'started' }), bad] })).rejects.toThrow();
    expect(await reader.find(id)).toBeNull();
    expect(await reader.events(id, 0, 10)).toEqual([]);
  });
});

describe('reservations', () => {
  const reservation = (id: string, key: string) => ({
    id,
    plan: testPlan(),
    startedBy: 'ann',
    startedAt: 5_000,
    keyScope: 'ann',
    keyHash: key,
    attempt: crypto.randomUUID(),
  });

  test('stand as the first one made them', async () => {
    const first = reservation(newId(), 'key-1');
    expect(await writer.saveStart(first)).toMatchObject({ ...first, accepted: false });
    const second = { ...reservation(newId(), 'key-1'), plan: testPlan({ graceMs: 9 }) };
    expect(await writer.saveStart(second)).toMatchObject({ ...first, accepted: false });
    expect(await reader.findStart('ann', 'key-1', first.id)).toMatchObject({
      id: first.id,
      plan: first.plan,
      accepted: false,
    });
    expect(await reader.findStart('bob', 'key-1', 'bob-1')).toBeNull();
  });

  test('of two at the same moment are one, and both are told which', async () => {
    const twins = await Promise.all(
      Array.from({ length: 8 }, () => writer.saveStart(reservation(newId('twin'), 'key-twins'))),
    );
    expect(twins.every((twin) => twin !== null)).toBe(true);
    expect(new Set(twins.map((twin) => twin?.id)).size).toBe(1);
  });

  test('do not take an id that another key has', async () => {
    const first = reservation(newId(), 'key-id');
    await writer.saveStart(first);
    expect(await writer.saveStart(reservation(first.id, 'key-other'))).toBeNull();
  });

  test('are no deployments until a workflow has reported', async () => {
    const made = reservation(newId('reserved'), 'key-2');
    await writer.saveStart(made);
    expect(await reader.find(made.id)).toBeNull();
    await writer.record({ id: made.id, status: deploymentOf(writer, made.id).status, events: [] });
    expect(await reader.find(made.id)).not.toBeNull();
    expect(await reader.findStart('ann', 'key-2', made.id)).toMatchObject({ accepted: true });
  });

  test('are forgotten by whoever made them only, and never after a report', async () => {
    const made = reservation(newId(), 'key-3');
    await writer.saveStart(made);
    await writer.dropStart({ id: made.id, attempt: crypto.randomUUID() });
    expect(await reader.findStart('ann', 'key-3', made.id)).not.toBeNull();
    await writer.dropStart(made);
    expect(await reader.findStart('ann', 'key-3', made.id)).toBeNull();

    await writer.saveStart(made);
    await writer.record({ id: made.id, status: deploymentOf(writer, made.id).status, events: [] });
    await writer.dropStart(made);
    expect(await reader.find(made.id)).not.toBeNull();
  });
});

describe('plans that were shown', () => {
  const hour = 3_600_000;
  const now = 100 * 24 * hour;

  test('are found by their hash, as they were', async () => {
    const plan = testPlan({ name: newId('shown') });
    await writer.savePlan(plan, now);
    expect(await reader.findPlan(plan.hash)).toEqual({ plan, madeAt: now });
    expect(await reader.findPlan('0'.repeat(64))).toBeNull();
  });

  test('kept again are one, as fresh as the last making, in any order', async () => {
    const plan = testPlan({ name: newId('shown') });
    await Promise.all([now + 5, now, now + 9, now + 2].map((at) => writer.savePlan(plan, at)));
    expect(await reader.findPlan(plan.hash)).toEqual({ plan, madeAt: now + 9 });
  });

  test('are forgotten after a day, looked for at most once an hour', async () => {
    const own = createLedgerWriter(ledger);
    const [old, young, other] = ['old', 'young', 'other'].map((name) => testPlan({ name: newId(name) }));
    if (old === undefined || young === undefined || other === undefined) throw new Error('three plans are three');
    const at = now + 1_000 * hour;
    await own.savePlan(other, at - 25 * hour);
    await own.savePlan(old, at - 25 * hour + 1);
    await own.savePlan(young, at - 23 * hour - 1);
    expect(await reader.findPlan(other.hash)).not.toBeNull();
    await own.savePlan(other, at);
    expect(await reader.findPlan(old.hash)).toBeNull();
    expect(await reader.findPlan(young.hash)).not.toBeNull();
    // a day later than `young`, less than an hour after the last look
    await own.savePlan(other, at + hour - 1);
    expect(await reader.findPlan(young.hash)).not.toBeNull();
    await own.savePlan(other, at + hour);
    expect(await reader.findPlan(young.hash)).toBeNull();
  });
});

describe('live progress', () => {
  test('is overwritten by a later word only', async () => {
    const told = deploymentOf(writer, newId());
    await told.tell({ seq: 1, kind: 'started' });
    await writer.saveLive(liveOf(told.id, 20, 2_000));
    await writer.saveLive(liveOf(told.id, 10, 1_000));
    expect((await reader.find(told.id))?.live).toEqual(liveOf(told.id, 20, 2_000));
  });

  test('may come before everything else', async () => {
    const id = newId();
    await writer.saveLive(liveOf(id, 1, 1));
    expect(await reader.find(id)).toBeNull();
  });

  test('counts rows beyond what a 32-bit number holds, exactly', async () => {
    const told = deploymentOf(writer, newId());
    await told.tell({ seq: 1, kind: 'started' });
    await told.live(9_007_199_254_740_991, 1);
    expect((await reader.find(told.id))?.live?.rows).toBe(9_007_199_254_740_991);
  });
});

describe('reading', () => {
  test('pages through a list without losing or repeating one, though others come meanwhile', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 25; i += 1) {
      const id = newId('paged');
      ids.push(id);
      // Several were started in the same millisecond.
      await deploymentOf(writer, id, 50_000_000 + Math.floor(i / 4)).tell({ seq: 1, kind: 'started' });
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const from: { cursor?: string } = cursor === '' ? {} : { cursor };
      const page: DeploymentPage | null = await reader.list({ name: ['paged'], limit: 4, ...from });
      seen.push(...(page?.deployments ?? []).map(({ id }) => id));
      await deploymentOf(writer, newId('paged'), 60_000_000).tell({ seq: 1, kind: 'started' });
      cursor = page?.next ?? null;
    }
    expect(seen).toEqual(ids.toReversed().sort((a, b) => order(b, ids) - order(a, ids) || b.localeCompare(a)));
  });
  const order = (id: string, ids: readonly string[]): number => Math.floor(ids.indexOf(id) / 4);

  test('filters by phase, target, strategy, name and by whether it has ended', async () => {
    const open = deploymentOf(writer, newId('filtered'));
    const ended = deploymentOf(writer, newId('filtered'));
    await open.tell({ seq: 1, kind: 'started' }, { phase: 'paused' });
    await ended.tell({ seq: 1, kind: 'ended' }, { phase: 'refused' });
    const list = async (filter: object) =>
      (await reader.list({ name: ['filtered'], limit: 10, ...filter }))?.deployments.map(({ id }) => id);
    expect(await list({ open: true })).toEqual([open.id]);
    expect(await list({ open: false })).toEqual([ended.id]);
    expect(await list({ phase: ['paused', 'in-grace'] })).toEqual([open.id]);
    expect(await list({ target: ['elsewhere'] })).toEqual([]);
    expect(await list({ strategy: ['expand-contract'], target: ['shop'] })).toHaveLength(2);
  });

  test.each(['', 'abc', Buffer.from('{}').toString('base64url'), Buffer.from('["x",1]').toString('base64url')])(
    'takes no cursor %j that is not its own',
    async (cursor) => {
      expect(await reader.list({ limit: 1, cursor })).toBeNull();
    },
  );

  test('finds by id, else the latest of a name', async () => {
    const older = deploymentOf(writer, newId('twice'), 1_000);
    const newer = deploymentOf(writer, newId('twice'), 2_000);
    await newer.tell({ seq: 1, kind: 'started' }, { phase: 'deployed' });
    await older.tell({ seq: 1, kind: 'started' });
    expect(await reader.lookUp('twice')).toEqual({ id: newer.id, phase: 'deployed' });
    expect((await reader.lookUp(older.id))?.id).toBe(older.id);
    expect(await reader.lookUp('never')).toBeNull();
  });

  test('reports what happened', async () => {
    const id = newId('reported');
    for (const entry of life(id)) await writer.record(entry);
    const report = await reader.report(id);
    expect(report).toMatchObject({
      id,
      phase: 'deployed',
      plan: { name: 'reported' },
      approvals: [{ stage: 'backfill', by: 'dora', reason: 'fine' }],
      application: { errorsCaused: null, longestLockMs: 11.5 },
    });
    expect(report?.stages[0]).toMatchObject({ name: 'preflight', state: 'done', ms: null });
    expect(report?.decisions.map(({ kind }) => kind)).toEqual([
      'started',
      'verdict',
      'order',
      'order-refused',
      'approval',
      'ended',
    ]);
  });
});
