import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { searchAttributes } from '../../config/index.ts';
import { freePort } from '../ports.ts';
import { lastWords, launch, type Launched } from '../processes/launch.ts';
import { stopPid } from '../processes/stop.ts';
import { ToolFailure } from '../tool-failure.ts';
import { getTemporal } from './get.ts';

/** How the development server runs. */
export interface TemporalOptions {
  /** Default: in memory only, all is lost at the end. */
  readonly dbFile?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Default: no UI. */
  readonly uiPort?: number;
  /** Default: a temporary one that goes when the server ends. */
  readonly logFile?: string;
  readonly ownGroup?: boolean;
  /** See `launch`. */
  readonly recordIn?: string;
  /** Told what it does when the binary has to be fetched first. */
  readonly say?: (line: string) => void;
  /** Gives up fetching. */
  readonly signal?: AbortSignal;
}

/** A server that runs and belongs to us. */
export interface RunningTemporal {
  /** `host:port`. */
  readonly address: string;
  readonly pid: number;
  /** Settles when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
}

/** The development server refuses updates that wait asynchronously unless told otherwise; the version check calls home. */
const dynamicConfig = [
  'frontend.enableServerVersionCheck=false',
  'frontend.enableUpdateWorkflowExecution=true',
  'frontend.enableUpdateWorkflowExecutionAsyncAccepted=true',
];

const startWithinMs = 60_000;

/** Starts Temporal on loopback with the namespace `default` and our search attributes. Fails with one line that says why. */
export async function startTemporal(options: TemporalOptions = {}): Promise<RunningTemporal> {
  const command = await getBinary(options);
  const port = options.port ?? (await freePort());
  const logFile = options.logFile ?? join(tmpdir(), `lakeshift-temporal-${process.pid}.log`);
  if (options.dbFile !== undefined) await mkdir(dirname(options.dbFile), { recursive: true });
  const child = await launch({
    what: 'Temporal',
    command,
    args: flags(options, port),
    logFile,
    ownGroup: options.ownGroup ?? false,
    recordIn: options.recordIn,
  });
  const address = `127.0.0.1:${port}`;
  await untilItAnswers(child, address, logFile);
  if (options.logFile === undefined) void child.ended.then(() => rm(logFile, { force: true }));
  return {
    address,
    pid: child.pid,
    ended: child.ended,
    stop: async () => {
      await stopPid(child.pid);
    },
  };
}

function getBinary({ say = () => undefined, signal }: TemporalOptions): Promise<string> {
  return getTemporal(say, signal === undefined ? {} : { signal });
}

function flags(options: TemporalOptions, port: number): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--namespace', 'default'],
    ...['--log-level', 'warn', '--log-format', 'text'],
    ...(options.uiPort === undefined ? ['--headless'] : ['--ui-port', String(options.uiPort)]),
    ...(options.dbFile === undefined ? [] : ['--db-filename', options.dbFile]),
    ...dynamicConfig.flatMap((value) => ['--dynamic-config-value', value]),
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `Lakeshift${name}=${type}`]),
  ];
}

async function untilItAnswers(child: Launched, address: string, logFile: string): Promise<void> {
  const until = Date.now() + startWithinMs;
  while (Date.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new ToolFailure(`Temporal did not start: ${await lastWords(child)} (log: ${logFile})`);
    }
    if (await hasNamespace(address)) return;
    await sleep(50);
  }
  await stopPid(child.pid);
  throw new ToolFailure(`Temporal did not answer within ${startWithinMs / 1000} s (log: ${logFile})`);
}

/** The port opens before the namespace is there. */
async function hasNamespace(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: 2000 });
    try {
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}
