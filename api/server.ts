import { readFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import {
  ConfigError,
  ensureSearchAttributes,
  loadConfig,
  loadTemporalConnection,
  type Config,
} from '../config/index.ts';
import {
  connectLedger,
  createLedgerReader,
  createLedgerWriter,
  isLedgerFailure,
  ledgerFailureCode,
  LedgerRefusal,
  migrateLedger,
  type Ledger,
} from '../ledger/index.ts';
import { buildApp } from './app.ts';
import { createLogger } from './logger.ts';
import { createTemporalEngine } from './temporal-engine.ts';

/** How long requests get to end when the service stops, ms. */
const grace = 10_000;

const main = async (): Promise<void> => {
  // The API looks at no target and notifies nobody itself: it does not need the secrets of their addresses.
  const config = await loadConfig(undefined, undefined, { without: ['targets', 'metrics', 'notify'] });
  const logger = createLogger(config.log.level);
  const ledger = await openLedger(config, logger);
  const { connectionOptions, namespace } = loadTemporalConnection();
  // Lazy: what the ledger knows can be read while Temporal is away, and /health/ready says so.
  const connection = Connection.lazy(connectionOptions);
  const searchAttributes = searchAttributesOf(connection, namespace, config, logger);
  // Early, because a cluster takes a while to know new ones; whoever starts a deployment asks again.
  void searchAttributes();
  const app = await buildApp({
    config,
    logger,
    version: await ownVersion(),
    reader: createLedgerReader(ledger),
    writer: createLedgerWriter(ledger),
    engine: createTemporalEngine({
      client: new Client({ connection, namespace }),
      namespace,
      homeSchema: config.homeSchema,
      searchAttributes,
      ui: config.temporal.ui,
    }),
  });
  const stop = async (): Promise<void> => {
    await app.close();
    await ledger.destroy();
    // Temporal's connection ends with the process: closed, it throws at calls that it still repeats.
  };
  stopOnRequest(stop, logger);
  await listen(app, config, logger);
};

async function openLedger({ ledger: { url } }: Config, logger: Logger): Promise<Ledger> {
  const ledger = connectLedger(url, {
    onIdleError: (code) => {
      logger.warn({ code }, 'an idle connection to the ledger broke');
    },
  });
  const migrated = await migrateLedger(ledger);
  if (migrated.length > 0) logger.info({ migrated }, 'ledger migrated');
  return ledger;
}

async function listen(app: FastifyInstance, { api }: Config, logger: Logger): Promise<void> {
  const { host, port } = api;
  const address = await app.listen({ host, port }).catch((error: unknown) => {
    throw isTaken(error) ? new AddressTaken(`${host}:${port} is taken: another program listens there`) : error;
  });
  if (api.open) logger.warn({ address }, 'api is open: everybody on this machine may do everything');
  logger.info({ address }, 'api is listening');
  process.send?.({ ready: true, address });
}

/** Gives the prefix once our search attributes are there; until then null, and the log has the commands. */
function searchAttributesOf(
  connection: Connection,
  namespace: string,
  { temporal: { searchAttributes } }: Config,
  logger: Logger,
): () => Promise<string | null> {
  let isReady = false;
  return async () => {
    if (isReady) return searchAttributes.prefix;
    const { ready, commands, because } = await ensureSearchAttributes(connection, { namespace, ...searchAttributes });
    isReady = ready;
    if (!ready) logger.warn({ commands, because }, 'search attributes are missing: run these commands');
    return ready ? searchAttributes.prefix : null;
  };
}

/** Ends once, for whichever reason comes first: a signal, or a parent that is gone. */
function stopOnRequest(stop: () => Promise<void>, logger: Logger): void {
  let stopping = false;
  const once = (reason: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, 'api is stopping');
    const late = setTimeout(() => process.exit(1), grace);
    void stop().then(
      () => {
        clearTimeout(late);
        process.exit(0);
      },
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', once);
  process.on('SIGINT', once);
  process.on('disconnect', () => {
    once('disconnect');
  });
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string }; // our own package.json
  return version;
}

/** Somebody else listens where we should. */
class AddressTaken extends Error {}

const isTaken = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

/** Only what is ours to say: a driver's message may quote an address with its password. */
function reasonOf(error: unknown): string {
  if (error instanceof ConfigError || error instanceof AddressTaken) return error.message;
  if (error instanceof LedgerRefusal) return `the API could not start: ${error.message}`;
  if (isLedgerFailure(error))
    return `the API could not start: the ledger does not answer (${ledgerFailureCode(error)})`;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return `the API could not start: ${error instanceof Error ? error.name : 'error'} (${code})`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exit(1);
});
