import type {
  Alteration,
  BuildStage,
  IndexBuild,
  TablePlan,
  ReleasePlan,
  RowCheck,
  Stage,
  Statement,
} from '../../contracts/plan.ts';
import type { RollingSpec } from '../../contracts/release-spec.ts';
import type { WorkloadFacts } from '../../contracts/workload.ts';
import { planDeployment } from '../../decisions/plan-deployment.ts';
import { hashOf } from '../../decisions/hash.ts';

/** What a story wants of its plan; durations in ms. */
export interface PlanWishes {
  readonly name?: string;
  readonly table?: string;
  readonly taskQueue?: string;
  readonly graceMs?: number;
  readonly cadenceMs?: readonly number[];
  readonly onFailure?: TablePlan['onFailure'];
  readonly cutover?: Stage['approve'];
  readonly contract?: Stage['approve'];
  readonly after?: string | null;
  readonly rate?: number | null;
  readonly needed?: boolean;
  /** The plan has a stage `build`. */
  readonly build?: boolean;
  /** The table has two partitions, and its chunks are written for either. */
  readonly partitioned?: boolean;
  /** The cutover compares every row once more. */
  readonly compares?: boolean;
}

/** Anybody with the role, once. */
export const anyApprover = { group: null, count: 1, notByAuthor: false };

/** The plan of an expand-contract whose statements say only what they are: for tests whose world is in memory. */
export function testPlan(wishes: PlanWishes = {}): TablePlan {
  const table = wishes.table ?? 'payments';
  const plan: Omit<TablePlan, 'hash'> = {
    format: 1,
    specHash: hashOf(wishes),
    name: wishes.name ?? 'payments-cents',
    strategy: 'expand-contract',
    environment: 'test',
    target: 'shop',
    dialect: 'postgres',
    taskQueue: wishes.taskQueue ?? 'lakeshift',
    spec: {
      name: wishes.name ?? 'payments-cents',
      strategy: 'expand-contract',
      target: 'shop',
      table: `public.${table}`,
      changes: [{ type: 'amount', to: 'amount_cents bigint', up: 'amount * 100', down: 'amount_cents / 100.0' }],
    },
    facts: { ...factsOf(table), ...(wishes.partitioned === true ? { kind: 'p', pages: 0, partitions } : {}) },
    object: { schema: 'public', table, oid: 16_400, columns: ['amount', 'amount_cents'], homeSchema: 'lakeshift' },
    stages: stagesOf(wishes),
    changes: [{ change: 'amount to amount_cents bigint', class: 'unsafe', because: 'the type changes' }],
    risk: { level: 'medium', because: ['a column goes'], pointOfNoReturn: 'contract' },
    findings: [],
    estimate: { workMs: 1_000, graceMs: wishes.graceMs ?? 0, rows: 1_000 },
    onFailure: wishes.onFailure ?? 'park',
  };
  return { ...plan, hash: hashOf(plan) };
}

const factsOf = (table: string): TablePlan['facts'] => ({
  serverVersion: 180_000,
  schema: 'public',
  table,
  oid: 16_400,
  kind: 'r',
  owner: 'app',
  rows: 1_000,
  bytes: 80_000,
  pages: 10,
  fillfactor: 100,
  rowSecurity: false,
  columns: [
    { name: 'id', type: 'bigint', notNull: true, hasDefault: false, constantDefault: null, generated: 'identity' },
    {
      name: 'amount',
      type: 'numeric(12,2)',
      notNull: false,
      hasDefault: false,
      constantDefault: null,
      generated: 'no',
    },
  ],
  key: [{ name: 'id', type: 'bigint' }],
  indexes: 1,
  triggers: [],
  foreignKeys: [],
  views: [],
  publications: [],
  rights: { role: 'lakeshift', superuser: false, ownsTable: true, schemaReady: true, temporary: true },
  expressions: [],
  tablesNearby: [],
  holder: null,
});

const partitions = ['first_half', 'second_half'].map((name, index) => ({
  name: `public.${name}`,
  oid: 16_410 + index,
  kind: 'r',
  pages: 5,
}));

function stagesOf(wishes: PlanWishes): readonly Stage[] {
  const base = { estimateMs: 10, approve: null };
  return [
    {
      ...base,
      kind: 'preflight',
      name: 'preflight',
      title: 'look at everything',
      undoTitle: 'nothing was touched',
      looks: ['table', 'columns', 'key', 'rights', 'longTransactions', 'slots', 'statements', 'rowTypes'].map(
        statement,
      ),
      everyRow: rowCheck('conversion'),
    },
    {
      ...base,
      kind: 'expand',
      name: 'expand',
      title: 'add amount_cents and its trigger',
      undoTitle: 'drop both',
      perform: alteration('expand'),
      undo: [alteration('drop trigger'), alteration('drop column')],
      undoLong: [statement('validate')],
    },
    {
      ...base,
      kind: 'backfill',
      name: 'backfill',
      title: 'rewrite the rows',
      undoTitle: 'nothing to take back',
      needed: wishes.needed ?? true,
      session: [],
      chunk: statement('chunk'),
      barrier: statement('barrier'),
      presence: statement('presence'),
      stripes: 1,
      superPages: 1_024,
      rowsPerPage: 100,
      rate: wishes.rate ?? null,
      sliceMs: 60_000,
      ...(wishes.partitioned === true
        ? { chunk: statement('chunk of {heap}'), shards: { atMost: 6, minPages: 1 } }
        : {}),
    },
    ...(wishes.build === true ? [buildStage] : []),
    {
      ...base,
      kind: 'verify',
      name: 'verify',
      title: 'compare',
      undoTitle: 'nothing to take back',
      check: rowCheck('equal'),
      retryFrom: 'backfill',
    },
    {
      ...base,
      kind: 'cutover',
      name: 'cutover',
      retryFrom: 'backfill',
      title: 'the new shape leads',
      undoTitle: 'the old shape leads again',
      approve: wishes.cutover ?? null,
      perform: alteration('cutover'),
      undo: [alteration('turn back')],
      after: wishes.after ?? null,
      ...(wishes.compares === true ? { check: rowCheck('equal') } : {}),
      wayBack: statement('wayBack'),
    },
    {
      ...base,
      kind: 'grace',
      name: 'grace',
      title: 'keep the old shape',
      undoTitle: 'nothing to take back',
      forMs: wishes.graceMs ?? 500,
      wayBack: statement('wayBack'),
      check: rowCheck('equal'),
      cadenceMs: wishes.cadenceMs ?? [100_000],
    },
    {
      ...base,
      kind: 'contract',
      name: 'contract',
      title: 'drop amount',
      undoTitle: null,
      approve: wishes.contract ?? null,
      perform: alteration('contract'),
      evidence: ['dependents', 'readers', 'wayBack'].map(statement),
      check: rowCheck('equal'),
    },
  ];
}

const statement = (id: string): Statement => ({ id, sql: `-- ${id}`, note: id });
const alteration = (id: string): Alteration => ({
  done: statement(`${id} done`),
  statements: [statement(id)],
  table: 'public.payments',
});
const indexBuild = (name: string): IndexBuild => ({
  name,
  probe: statement(`${name} probe`),
  session: [],
  create: statement(`${name} create`),
  drop: statement(`${name} drop`),
});
const buildStage: BuildStage = {
  estimateMs: 10,
  approve: null,
  kind: 'build',
  name: 'build',
  title: 'make what hangs on amount',
  undoTitle: 'remove what was made',
  steps: [
    { step: 'index', title: 'index one', index: indexBuild('one') },
    { step: 'index', title: 'index two', index: indexBuild('two') },
    { step: 'alter', title: 'constraints', alteration: alteration('constraints') },
    { step: 'long', title: 'checks', statements: [statement('check them')] },
  ],
  undo: [alteration('remove what was made')],
};
const rowCheck = (id: string): RowCheck => ({
  prepare: [],
  fast: statement(id),
  slow: statement(`${id} slow`),
  slices: { by: 'pages', pages: 10, size: statement('size') },
});

/** What is different about a rolling release of a story. */
export interface RollingWishes {
  readonly spec?: Partial<RollingSpec>;
  readonly facts?: Partial<WorkloadFacts>;
}

/** A plan of another image for three pods. */
export function rollingPlan(taskQueue: string, { spec, facts }: RollingWishes = {}): ReleasePlan {
  const service = { environment: 'test', taskQueue, homeSchema: 'lakeshift', dialect: 'kubernetes' } as const;
  const made = planDeployment({
    ...service,
    spec: { ...rollingSpec, ...spec },
    facts: { workloads: [{ ...workloadFacts, ...facts }], services: [], route: null },
  });
  if (!made.ok || made.plan.dialect !== 'kubernetes') throw new Error('the plan is refused');
  return made.plan;
}

const rollingSpec = {
  name: 'checkout-4-2',
  strategy: 'rolling',
  target: 'k8s',
  workload: 'shop/checkout',
  images: { app: 'app:v2' },
} as const;

const workloadFacts: WorkloadFacts = {
  kind: 'Deployment',
  namespace: 'shop',
  name: 'checkout',
  uid: '5b7e',
  replicas: 3,
  ready: 3,
  containers: [{ name: 'app', image: 'app:v1', drainSeconds: null, otherPreStop: false, hasReadiness: true }],
  rollout: {
    strategy: 'RollingUpdate',
    surge: '25%',
    unavailable: '25%',
    graceSeconds: 30,
    deadlineSeconds: 600,
    paused: false,
  },
  ownedBy: null,
  autoscalers: [],
  nearby: [],
  holder: null,
};
