import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../config/index.ts';
import type { LedgerReader, LedgerWriter } from '../ledger/index.ts';
import type { Engine } from './engine.ts';
import type { Watch } from './watch.ts';

/** The configuration as far as the API needs it. */
export type ApiSettings = Pick<
  Config,
  'environment' | 'homeSchema' | 'targets' | 'metrics' | 'routers' | 'notify' | 'api' | 'approvals'
>;

/** What the API is made of; `server.ts` makes it, tests bring their own engine. */
export interface ApiDependencies {
  readonly config: ApiSettings;
  readonly engine: Engine;
  readonly reader: LedgerReader;
  readonly writer: LedgerWriter;
  readonly logger: FastifyBaseLogger;
  /** The service's own version. */
  readonly version: string;
  /** How often the ledger is looked at for those who wait, ms; default 250. */
  readonly watchEveryMs?: number;
}

/** What routes are given. */
export interface RouteDependencies extends ApiDependencies {
  readonly watch: Watch;
  /** Fires when the service stops: whoever waits is let go. */
  readonly closing: AbortSignal;
}
