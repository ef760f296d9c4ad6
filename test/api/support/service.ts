import { Writable } from 'node:stream';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { buildApp } from '../../../api/app.ts';
import type { ApiSettings } from '../../../api/deps.ts';
import type { Engine } from '../../../api/engine.ts';
import { createLogger } from '../../../api/logger.ts';
import {
  connectLedger,
  createLedgerReader,
  createLedgerWriter,
  migrateLedger,
  type LedgerReader,
  type LedgerWriter,
} from '../../../ledger/index.ts';
import { freshDatabase } from '../../support/servers.ts';
import { FakeEngine } from './fake-engine.ts';

/** Tokens of the roles, by role. */
export const tokens = {
  viewer: 'viewer-token-0123456789',
  operator: 'operator-token-0123456789',
  approver: 'approver-token-0123456789',
} as const;

/** What tests of the API run: the whole app with a ledger of its own, and every line that it logs. */
export interface Service<E extends Engine = FakeEngine> {
  readonly app: FastifyInstance;
  readonly engine: E;
  readonly reader: LedgerReader;
  readonly writer: LedgerWriter;
  readonly ledgerUrl: string;
  readonly log: () => string;
  /** Takes the ledger's database away. */
  lose(): Promise<void>;
  close(): Promise<void>;
}

/** The settings of an API with a token for each role. */
export const settings = (api: Partial<ApiSettings['api']> = {}): ApiSettings => ({
  environment: 'test',
  homeSchema: 'lakeshift',
  targets: {
    shop: { dialect: 'postgres', url: 'postgres://app:s3cret-target@db/shop', taskQueue: 'lakeshift' },
    'k8s-data': { dialect: 'kubernetes', kubeconfig: null, context: null, taskQueue: 'lakeshift' },
  },
  notify: {
    'data-platform': { kind: 'slack', url: '${env:SLACK}', secret: null, on: ['ended'], isDefault: true },
  },
  metrics: {
    'shop-prometheus': {
      kind: 'prometheus',
      url: 'https://prometheus.internal',
      p99: 'shop_p99',
      overMs: 60_000,
      errors: null,
      token: null,
    },
  },
  routers: {
    'edge-haproxy': { kind: 'haproxy', address: '127.0.0.1:9999' },
    'edge-nginx': { kind: 'nginx', file: '/etc/nginx/servers.conf', reload: ['nginx', '-s', 'reload'] },
  },
  api: {
    host: '127.0.0.1',
    port: 0,
    url: null,
    open: false,
    bodyLimit: 262_144,
    rateLimit: { max: 100_000, perMs: 60_000 },
    tokens: Object.entries(tokens).map(([role, token]) => ({
      name: `${role}-1`,
      role: role as keyof typeof tokens,
      groups: role === 'approver' ? ['dba'] : [],
      token,
    })),
    ...api,
  },
  approvals: { key: 'a-key-that-is-thirty-two-characters', trustTemporal: false },
});

/** Builds the API over a fresh ledger, with an engine in memory. */
export async function startService(config: ApiSettings = settings()): Promise<Service> {
  return startServiceWith(new FakeEngine(), config);
}

/** Builds the API over a fresh ledger, with the engine that is given. */
export async function startServiceWith<E extends Engine>(engine: E, config: ApiSettings): Promise<Service<E>> {
  const database = await freshDatabase();
  const ledger = connectLedger(database.url);
  await migrateLedger(ledger);
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const reader = createLedgerReader(ledger);
  const writer = createLedgerWriter(ledger);
  const logger = createLogger('debug', sink);
  const app = await buildApp({ config, engine, reader, writer, logger, version: '0.0.0', watchEveryMs: 20 });
  return {
    app,
    engine,
    reader,
    writer,
    ledgerUrl: database.url,
    log: () => lines.join(''),
    lose: () => database.drop(),
    async close() {
      await app.close();
      await ledger.destroy();
      await database.drop();
    },
  };
}

/** A request by a role. */
export const by = (role: keyof typeof tokens, options: InjectOptions): InjectOptions => ({
  ...options,
  headers: { authorization: `Bearer ${tokens[role]}`, ...options.headers },
});

/** The spec that the friendly table of `tableFacts` allows. */
export const spec = (over: Record<string, unknown> = {}) => ({
  name: 'payments-cents',
  strategy: 'expand-contract',
  target: 'shop',
  table: 'public.payments',
  changes: [{ type: 'amount', to: 'amount_cents bigint', up: 'round(amount * 100)', down: 'amount_cents / 100.0' }],
  ...over,
});
