import type { DeploymentView, Report } from '../../../contracts/api.ts';
import type { TablePlan, Stage, Statement } from '../../../contracts/plan.ts';
import type { Progress, StageProgress, StageState, Status } from '../../../contracts/progress.ts';

/** The moment at which all fixtures are looked at: 2026-07-31 12:00:00 UTC. */
export const now = Date.UTC(2026, 6, 31, 12);

const statement = (id: string, sql: string, note = `note of ${id}`): Statement => ({ id, sql, note });
const alteration = (id: string, sql: string) => ({
  done: statement(`${id}-done`, `select true as done -- ${id}`),
  statements: [statement(id, sql)],
  table: 'public.payments',
});
const check = {
  prepare: [statement('prepare', 'create function pg_temp.fits() returns void language sql as $$ select 1; $$')],
  fast: statement('fast', 'select fast from public.payments'),
  slow: statement('slow', 'select slow from public.payments'),
  slices: { by: 'pages', pages: 12_500, size: statement('size', 'select 12500 as pages') },
} as const;
const free = { approve: null, estimateMs: null, undoTitle: null } as const;
const anyApprover = { group: null, count: 1, notByAuthor: false } as const;

const stages: readonly Stage[] = [
  {
    ...free,
    kind: 'preflight',
    name: 'preflight',
    title: 'look at everything before anything is touched',
    looks: [statement('size', 'select reltuples from pg_class')],
    everyRow: check,
  },
  {
    ...free,
    kind: 'expand',
    name: 'expand',
    title: 'ADD COLUMN amount_cents bigint; two-way trigger',
    undoTitle: 'drop both',
    estimateMs: 10,
    perform: alteration('expand', 'alter table public.payments add column amount_cents bigint;'),
    undo: [alteration('unexpand', 'alter table public.payments drop column amount_cents')],
    undoLong: [],
  },
  {
    ...free,
    kind: 'backfill',
    name: 'backfill',
    title: 'in place, striped (pages 3 % free)',
    undoTitle: 'nothing to take back',
    estimateMs: 12_000,
    needed: true,
    session: [statement('session', 'set synchronous_commit = off')],
    chunk: statement('chunk', 'update public.payments set amount_cents = round(amount * 100)'),
    barrier: statement('barrier', 'select pages'),
    presence: statement('presence', 'select transactions'),
    stripes: 8,
    superPages: 512,
    rowsPerPage: 80,
    rate: null,
    sliceMs: 60_000,
  },
  { ...free, kind: 'verify', name: 'verify', title: 'every row', estimateMs: 1_000, check },
  {
    ...free,
    kind: 'cutover',
    name: 'cutover',
    title: 'readers see amount_cents; amount stays true',
    undoTitle: 'one transaction, no row lost',
    estimateMs: 5,
    approve: { group: 'dba', count: 2, notByAuthor: true },
    perform: alteration('cutover', 'select lead_by_new()'),
    undo: [],
    after: null,
    wayBack: statement('misfits', 'select 0 as misfits'),
  },
  {
    ...free,
    kind: 'grace',
    name: 'grace',
    title: 'both shapes stay true',
    forMs: 7 * 86_400_000,
    wayBack: statement('misfits', 'select 0 as misfits'),
    check,
    cadenceMs: [60_000],
  },
  {
    ...free,
    kind: 'contract',
    name: 'contract',
    title: 'DROP COLUMN amount',
    approve: anyApprover,
    perform: alteration('contract', 'alter table public.payments drop column amount'),
    evidence: [statement('readers', 'select readers')],
    check,
  },
];

/** The plan of the first example. */
export const aPlan = (changes: Partial<TablePlan> = {}): TablePlan => ({
  format: 1,
  hash: '7c1e0f55'.repeat(8),
  specHash: 'ab'.repeat(32),
  name: 'payments-cents',
  strategy: 'expand-contract',
  environment: 'local',
  target: 'shop',
  dialect: 'postgres',
  taskQueue: 'lakeshift',
  spec: {
    name: 'payments-cents',
    strategy: 'expand-contract',
    target: 'shop',
    table: 'public.payments',
    changes: [{ type: 'amount', to: 'amount_cents bigint', up: 'round(amount * 100)', down: 'amount_cents / 100.0' }],
  },
  facts: {
    serverVersion: 180_004,
    schema: 'public',
    table: 'payments',
    oid: 16_400,
    kind: 'r',
    owner: 'shop',
    rows: 1_000_000,
    bytes: 148_897_792,
    pages: 12_500,
    fillfactor: 100,
    rowSecurity: false,
    columns: [],
    key: [{ name: 'id', type: 'bigint' }],
    indexes: 2,
    triggers: [],
    foreignKeys: [],
    views: [{ name: 'public.payments_recent', columns: ['id'] }],
    publications: [],
    rights: { role: 'lakeshift', superuser: false, ownsTable: true, schemaReady: true, temporary: true },
    expressions: [],
    tablesNearby: [],
    holder: null,
  },
  object: {
    schema: 'public',
    table: 'payments',
    oid: 16_400,
    columns: ['amount', 'amount_cents'],
    homeSchema: 'lakeshift',
  },
  stages,
  changes: [
    { change: 'amount → amount_cents bigint', class: 'unsafe', because: 'a type conversion rewrites the table' },
  ],
  risk: { level: 'medium', because: ['the old column is dropped'], pointOfNoReturn: 'contract' },
  findings: [],
  estimate: { workMs: 13_000, graceMs: 7 * 86_400_000, rows: 1_000_000 },
  onFailure: 'park',
  ...changes,
});

const stageNames = ['preflight', 'expand', 'backfill', 'verify', 'cutover', 'grace', 'contract'] as const;

/** One stage as it stands: done ones took 11 ms, running ones began 4 s ago. */
export function aStage(name: string, state: StageState, changes: Partial<StageProgress> = {}): StageProgress {
  const began = state === 'pending' || state === 'skipped' ? null : now - 4_000;
  const over = state === 'done' || state === 'undone';
  return {
    name,
    state,
    beganAt: began,
    endedAt: over ? now - 3_989 : null,
    note: null,
    rows: null,
    totalRows: null,
    ...changes,
  };
}

/** Progress at stage `at`: those before are done, those after pending. */
export const aProgress = (at: number, changes: Partial<Progress> = {}): Progress => ({
  direction: 'forward',
  at,
  begun: at + 1,
  turn: at + 1,
  stages: stageNames.map((name, i) => aStage(name, i < at ? 'done' : i === at ? 'running' : 'pending')),
  deadline: null,
  parked: null,
  waitingFor: null,
  verdict: null,
  because: null,
  wayBack: {
    verdict: 'lossless',
    rows: 0,
    because: 'both shapes are true',
    since: now - 60_000,
    lookedAt: now - 2_000,
  },
  findings: [],
  evidence: null,
  approvals: [],
  outcome: null,
  ...changes,
});

/** A status in its backfill. */
export const aStatus = (changes: Partial<Status> = {}): Status => ({
  id: 'payments-cents-1a2b3c4d',
  name: 'payments-cents',
  target: 'shop',
  strategy: 'expand-contract',
  planHash: '7c1e0f55'.repeat(8),
  phase: 'backfilling',
  stage: 'backfill',
  paused: false,
  rate: null,
  progress: aProgress(2),
  possible: ['pause', 'abort', 'rollback', 'setRate'],
  startedBy: { name: 'ada', role: 'operator', groups: [], via: 'api' },
  startedAt: now - 180_000,
  changedAt: now - 4_000,
  ...changes,
});

/** A status that has ended. */
export const anEnd = (phase: 'deployed' | 'rolled-back' | 'refused', because = 'because it was asked'): Status =>
  aStatus({
    phase,
    stage: null,
    possible: [],
    progress: aProgress(phase === 'deployed' ? 7 : -1, { outcome: { phase, because, at: now } }),
  });

/** A status that waits for the approval of the cutover, with evidence. */
export const aWaiting = (): Status =>
  aStatus({
    phase: 'waiting-for-approval',
    stage: 'cutover',
    possible: ['approve', 'reject', 'abort', 'rollback'],
    progress: aProgress(4, {
      waitingFor: { what: 'approval', stage: 'cutover', detail: 'two of dba, not ada' },
      evidence: { stage: 'cutover', hash: 'e5'.repeat(32), findings: [], gatheredAt: now },
    }),
  });

/** A view of a status. */
export const aView = (status: Status = aStatus(), changes: Partial<DeploymentView> = {}): DeploymentView => ({
  status,
  seq: 5,
  live: null,
  links: {
    self: `/v1/deployments/${status.id}`,
    events: `/v1/deployments/${status.id}/events`,
    report: `/v1/deployments/${status.id}/report`,
    temporal: `http://127.0.0.1:8233/namespaces/default/workflows/${status.id}`,
  },
  ...changes,
});

/** The report of a deployment that went well. */
export const aReport = (changes: Partial<Report> = {}): Report => ({
  id: 'payments-cents-1a2b3c4d',
  plan: aPlan(),
  outcome: { phase: 'deployed', because: 'every stage is done', at: now },
  phase: 'deployed',
  stages: [
    { name: 'expand', state: 'done', ms: 11, rows: null, note: 'longest lock 9 ms' },
    { name: 'backfill', state: 'done', ms: 12_300, rows: 1_000_000, note: null },
  ],
  decisions: [
    { seq: 1, at: now - 20_000, kind: 'started', stage: null, text: 'started by ada', data: {} },
    {
      seq: 2,
      at: now - 19_000,
      kind: 'verdict',
      stage: 'verify',
      text: 'promote: 0 of 1,000,000 rows differ',
      data: {},
    },
  ],
  approvals: [{ stage: 'contract', by: 'grace', at: now - 5_000, reason: 'nobody reads it' }],
  application: { errorsCaused: 0, longestLockMs: 9 },
  ...changes,
});
