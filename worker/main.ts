import { Runtime, type Worker } from '@temporalio/worker';
import { ConfigError, loadConfig, loadTemporalConnection, type Config } from '../config/index.ts';
import { loadWorkerSettings } from '../config/worker.ts';
import { connectTemporal } from './connect.ts';
import { createDependencies } from './dependencies.ts';
import { createLog, temporalLogger } from './logging.ts';
import { startSender, type Sender } from './notify/sender.ts';
import { shutdownAsked } from './shutdown.ts';
import { bundleWorkflows, createWorkers } from './workers.ts';

/** Runs workflows and activities on the task queues of the configuration until the process is asked to end. */
async function main(): Promise<void> {
  // The API's tokens are no concern of a worker: it starts without their secrets.
  const config = await loadConfig(undefined, undefined, { without: ['api'] });
  const { metricsAddress, supervised, workflowBundle } = loadWorkerSettings();
  const log = createLog(config.log.level);
  const stop = new AbortController();
  const asked = shutdownAsked(supervised).then((because) => {
    log.info({ because }, 'worker stops');
    stop.abort();
  });
  installRuntime(log, metricsAddress);
  await serve({ config, log, workflowBundle, signal: stop.signal, asked });
  log.info('worker stopped');
}

interface Service {
  readonly config: Config;
  readonly log: Log;
  readonly workflowBundle: string | null;
  readonly signal: AbortSignal;
  readonly asked: Promise<void>;
}

async function serve({ config, log, workflowBundle, signal, asked }: Service): Promise<void> {
  const temporal = loadTemporalConnection();
  const [connection, bundle] = await Promise.all([
    connectTemporal(temporal, log, signal),
    workflowBundle === null
      ? bundleWorkflows(temporalLogger(createLog('warn')))
      : Promise.resolve({ codePath: workflowBundle }),
  ]);
  if (connection === null) return;
  let sender: Sender | null = null;
  const dependencies = createDependencies(
    config,
    (code) => log.warn({ code }, 'a connection to the ledger broke'),
    () => sender?.nudge(),
  );
  try {
    const { activities } = dependencies;
    await dependencies.checkLedger();
    const sending = startSender({ config, namespace: temporal.namespace, log, meter: Runtime.instance().metricMeter });
    sender = sending;
    const workers = await createWorkers(config, connection, temporal.namespace, bundle, activities);
    const running = workers.map((worker) => worker.run());
    log.info({ address: temporal.connectionOptions.address, taskQueues: queuesOf(workers) }, 'worker ready');
    process.send?.({ ready: true });
    await Promise.race([asked, ...running]).finally(() => Promise.all([stopAll(workers, running), sending.stop()]));
  } finally {
    await sender?.stop();
    await dependencies.close();
    await connection.close();
  }
}

/** Ends all workers in order, also when one of them has ended by itself. */
async function stopAll(workers: readonly Worker[], running: readonly Promise<void>[]): Promise<void> {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  await Promise.allSettled(running);
}

type Log = ReturnType<typeof createLog>;

const queuesOf = (workers: readonly Worker[]): string[] => workers.map(({ options }) => options.taskQueue);

function installRuntime(log: Log, metricsAddress: string | null): void {
  Runtime.install({
    logger: temporalLogger(log),
    // Our own handler stops all workers together.
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'WARN' } },
      ...(metricsAddress === null ? {} : { metrics: { prometheus: { bindAddress: metricsAddress } } }),
    },
  });
}

try {
  await main();
  process.exitCode = 0;
} catch (error) {
  const line = error instanceof ConfigError ? error.message : `the worker stopped: ${oneLine(error)}`;
  process.stderr.write(`${line}\n`);
  process.exitCode = 1;
} finally {
  // Whoever started us holds the other end of this channel, which would keep the process alive.
  if (process.connected) process.disconnect();
}

function oneLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? error.name) : 'for an unknown reason';
}
