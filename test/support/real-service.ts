import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import pg from 'pg';
import { stringify } from 'yaml';
import type { DeploymentView } from '../../contracts/api.ts';
import type { Plan } from '../../contracts/plan.ts';
import { startServiceProcess, type ServiceProcess } from '../../tools/processes/service-process.ts';
import { until } from './until.ts';
import { freshDatabase, processEnv, temporalAddress, type TestDatabase } from './servers.ts';

/** Where a service finds its servers; by default those of the test run, with databases of its own. */
export interface Surroundings {
  readonly temporal: string;
  readonly ledgerUrl: string;
  readonly shopUrl: string;
  /** Who prepares tables there; default: the same. */
  readonly shopOwnerUrl?: string;
  /** `notify` of the configuration, and the variables that it refers to. */
  readonly notify?: { readonly channels: object; readonly env: Readonly<Record<string, string>> };
  /** Text of a kubeconfig: then there is a target `k8s` too. */
  readonly kubeconfig?: string;
  /** Routers of the configuration. */
  readonly routers?: Readonly<Record<string, object>>;
  /** Address of a Prometheus: then there is a metrics source `shop` too. */
  readonly prometheus?: string;
  /** Address of an MLflow: then there is a target `models` too. */
  readonly registry?: string;
  /** What its workers see of the environment besides. */
  readonly workerEnv?: NodeJS.ProcessEnv;
  readonly drop: () => Promise<void>;
}

/** What a story wants to know of the processes themselves. */
export interface Watching {
  readonly logLevel: string;
  /** A file descriptor that all of them write their logs to. */
  readonly logTo: number;
  /** `host:port` of the metrics of the last worker. */
  readonly workerMetrics: string;
}

/** An API and any number of workers in processes of their own. */
export class RealService {
  /** The owner of the tables. */
  readonly shop: pg.Pool;
  /** The role that the service works as: what is ours in the target is for no other eyes. */
  readonly #ours: pg.Pool;
  readonly surroundings: Surroundings;
  /** What its processes see of the environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly #folder: string;
  readonly #api: ServiceProcess;
  readonly #logTo: number | undefined;
  #workers: ServiceProcess[] = [];
  address = '';

  private constructor(surroundings: Surroundings, folder: string, env: NodeJS.ProcessEnv, logTo?: number) {
    this.#logTo = logTo;
    this.surroundings = surroundings;
    this.#folder = folder;
    this.env = env;
    this.shop = new pg.Pool({
      connectionString: surroundings.shopOwnerUrl ?? surroundings.shopUrl,
      max: 4,
      application_name: 'test',
    });
    this.#ours = new pg.Pool({ connectionString: surroundings.shopUrl, max: 1, application_name: 'test' });
    // a server that is restarted breaks idle connections
    for (const pool of [this.shop, this.#ours]) pool.on('error', () => undefined);
    this.#api = startServiceProcess('api/server.ts', env, logTo);
  }

  /** One whose target is there already; stopping it drops that too. */
  static async on(shop: TestDatabase): Promise<RealService> {
    return RealService.start(await besides(shop));
  }

  /** One with a cluster, as whom the kubeconfig says. */
  static async onCluster(
    kubeconfig: string,
    more: Pick<Surroundings, 'routers' | 'prometheus' | 'workerEnv'> = {},
  ): Promise<RealService> {
    return RealService.start({ ...(await besides(await freshDatabase())), kubeconfig, ...more });
  }

  /** One with a registry of models and a router. */
  static async onRegistry(more: Pick<Surroundings, 'registry' | 'routers' | 'prometheus'>): Promise<RealService> {
    return RealService.start({ ...(await besides(await freshDatabase())), ...more });
  }

  static async start(surroundings?: Surroundings, watching?: Watching): Promise<RealService> {
    const around = surroundings ?? (await besides(await freshDatabase()));
    const folder = await mkdtemp(join(tmpdir(), 'lakeshift-scenario-'));
    const config = join(folder, 'lakeshift.yaml');
    const kubeconfig = around.kubeconfig === undefined ? null : join(folder, 'kubeconfig');
    if (kubeconfig !== null) await writeFile(kubeconfig, around.kubeconfig ?? '', { mode: 0o600 });
    const base = configFor(basename(folder), watching?.logLevel ?? 'error', kubeconfig, around);
    await writeFile(config, stringify({ ...base, notify: around.notify?.channels ?? {} }));
    const env = {
      ...processEnv(),
      LAKESHIFT_CONFIG: config,
      SHOP_URL: around.shopUrl,
      LEDGER_URL: around.ledgerUrl,
      APPROVALS_KEY: 'k'.repeat(32),
      TEMPORAL_ADDRESS: around.temporal,
      ...around.notify?.env,
      ...(watching === undefined ? {} : { LAKESHIFT_WORKER_METRICS: watching.workerMetrics }),
    };
    const service = new RealService(around, folder, env, watching?.logTo);
    service.address = await service.#api.ready;
    await service.startWorker();
    return service;
  }

  /** `env` stands above that of the others. */
  async startWorker(env: NodeJS.ProcessEnv = {}): Promise<ServiceProcess> {
    const worker = startServiceProcess(
      'worker/main.ts',
      { ...this.env, ...this.surroundings.workerEnv, ...env },
      this.#logTo,
    );
    this.#workers.push(worker);
    await worker.ready;
    return worker;
  }

  /** The process of the worker that was started last. */
  get workerPid(): number {
    return this.#workers.at(-1)?.pid ?? 0;
  }

  /** Kills the worker that was started last, as a crash would. */
  async killWorker(): Promise<void> {
    await this.#workers.pop()?.kill();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#api.stop(), ...this.#workers.map((worker) => worker.kill())]);
    await Promise.all([this.shop.end(), this.#ours.end()]);
    await this.surroundings.drop();
    await rm(this.#folder, { recursive: true });
  }

  async payments(rows: number): Promise<void> {
    await this.shop.query(
      'CREATE TABLE payments (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, amount numeric(12,2) NOT NULL, note text)',
    );
    await this.shop.query(
      `INSERT INTO payments (amount, note) SELECT (g % 100000) / 100.0, 'n' || g FROM generate_series(1, $1::int) g`,
      [rows],
    );
    await this.shop.query('VACUUM ANALYZE payments');
  }

  async post(
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.address}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-lakeshift-actor': 'tester', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  }

  async deploy(spec: unknown, key: string): Promise<DeploymentView> {
    const { status, body } = await this.post('/v1/deployments', spec, { 'idempotency-key': key });
    if (status !== 201) throw new Error(`not started: ${status} ${JSON.stringify(body)}`);
    return body as DeploymentView; // what the API's own schema promises for 201
  }

  async view(id: string): Promise<DeploymentView> {
    const response = await fetch(`${this.address}/v1/deployments/${id}`);
    if (!response.ok) throw new Error(`no view: ${response.status} ${await response.text()}`);
    return (await response.json()) as DeploymentView; // what the API's own schema promises for 200
  }

  /** As whoever starts deployments, or as somebody else, of that group. */
  async order(
    id: string,
    order: string,
    more: Record<string, unknown> = {},
    group?: string,
  ): Promise<{ status: number; body: unknown }> {
    const { stage } = (await this.view(id)).status;
    const by = group === undefined ? {} : { 'x-lakeshift-actor': 'approver', 'x-lakeshift-groups': group };
    return this.post(`/v1/deployments/${id}/${order}`, { stage, reason: 'a test', ...more }, by);
  }

  async approve(id: string, group?: string): Promise<void> {
    const { status } = await this.view(id);
    const evidenceHash = status.progress.evidence?.stage === status.stage ? status.progress.evidence.hash : null;
    const approval = { planHash: status.planHash, ...(evidenceHash === null ? {} : { evidenceHash }) };
    const answer = await this.order(id, 'approve', approval, group);
    if (answer.status !== 200) throw new Error(`not approved: ${JSON.stringify(answer.body)}`);
  }

  /** Polls until the deployment is in one of these phases. */
  async reaches(id: string, ...phases: string[]): Promise<DeploymentView> {
    return this.until(`${id} in ${phases.join(' or ')}`, async () => {
      const view = await this.view(id);
      return phases.includes(view.status.phase) ? view : null;
    });
  }

  /** Polls until `look` gives something; servers that are away for a moment are looked at again. */
  until<T>(what: string, look: () => Promise<T | null>, withinMs?: number): Promise<T> {
    return until(what, look, withinMs);
  }

  /** Rows that the backfill has rewritten so far, as the target itself knows. */
  async rowsDone(): Promise<number> {
    const { rows } = await this.#ours.query<{ rows: string }>(
      `SELECT rows FROM lakeshift.progress WHERE stage = 'backfill'`,
    );
    return Number(rows[0]?.rows ?? 0);
  }

  /** The plan as the report shows it. */
  async plan(id: string): Promise<Plan> {
    const response = await fetch(`${this.address}/v1/deployments/${id}/report`);
    return ((await response.json()) as { plan: Plan }).plan; // what the API's own schema promises
  }
}

const configFor = (
  taskQueue: string,
  level: string,
  kubeconfig: string | null,
  { routers = {}, prometheus, registry }: Surroundings,
) => ({
  routers,
  targets: {
    shop: { dialect: 'postgres', url: '${env:SHOP_URL}', taskQueue },
    ...(kubeconfig === null ? {} : { k8s: { dialect: 'kubernetes', kubeconfig, taskQueue } }),
    ...(registry === undefined ? {} : { models: { dialect: 'mlflow', url: registry, taskQueue } }),
  },
  ...(prometheus === undefined ? {} : { metrics: { shop: { kind: 'prometheus', url: prometheus, p99: 'p99' } } }),
  ledger: { url: '${env:LEDGER_URL}' },
  // a test or a benchmark may ask more often than a person
  api: { port: 0, open: true, rateLimit: { max: 100_000, per: '1s' } },
  approvals: { key: '${env:APPROVALS_KEY}' },
  log: { level },
});

/** Surroundings of a target that is there already; `drop` takes that with it. */
export async function besides(shop: TestDatabase): Promise<Surroundings> {
  const ledger = await freshDatabase();
  const drop = async (): Promise<void> => {
    await Promise.all([ledger.drop(), shop.drop()]);
  };
  return {
    temporal: temporalAddress(),
    ledgerUrl: ledger.url,
    shopUrl: shop.url,
    shopOwnerUrl: shop.ownerUrl,
    drop,
  };
}
