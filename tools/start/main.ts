import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findHome, makeHome, type Home } from '../home.ts';
import { endOwn, sweep } from '../processes/records.ts';
import { ToolFailure } from '../tool-failure.ts';
import { beTheOnlyOne } from './only-one.ts';
import { readOptions, usage, type StartOptions } from './options.ts';
import { startService, type Service } from './service.ts';
import { listenForStop } from './stop-signals.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === null) {
    process.stdout.write(usage);
    return 0;
  }
  const home = findHome();
  const records = join(home.run, 'processes');
  await makeHome(home);
  const leave = await beTheOnlyOne(home.run);
  const { signal, isImpatient } = listenForStop(async () => {
    await endOwn(records, 'at-once');
    await leave();
  });
  try {
    const ended = await sweep(records);
    if (ended.length > 0) say(`ended what an earlier start had left behind: ${ended.join(', ')}`);
    const service = await startService({ options, home, records, say, signal });
    const code = await serve(service, options, home, signal);
    return isImpatient() ? 130 : code;
  } catch (error) {
    if (signal.aborted) return 130;
    throw error;
  } finally {
    await leave();
  }
}

async function serve(service: Service, options: StartOptions, home: Home, signal: AbortSignal): Promise<number> {
  try {
    announce(service);
    const code = await demo(service, options, home, signal);
    if (options.exit) return signal.aborted ? 130 : code;
    if (!signal.aborted) say('Ctrl-C stops everything.');
    await stopped(signal);
    return 0;
  } finally {
    say('stopping');
    await service.stop();
  }
}

function announce({ addresses: { address, temporal, ui } }: Service): void {
  say(`API            ${address}`);
  say(`API, to try    ${address}/docs`);
  say(`Temporal       ${temporal}`);
  if (ui !== null) say(`Temporal UI    ${ui}`);
}

/** The demo's exit code; 0 when it is not wanted. */
async function demo(service: Service, options: StartOptions, home: Home, signal: AbortSignal): Promise<number> {
  const seen = join(home.data, 'demo-seen');
  const isWanted = options.demo === 'always' || (options.demo === 'first-time' && !(await exists(seen)));
  if (!isWanted) return 0;
  const { runDemo } = await import('../demo/run-demo.ts');
  try {
    const code = await runDemo({
      apiUrl: service.addresses.address,
      databaseUrl: service.shopUrl,
      out: process.stdout,
      signal,
      ...(options.rows === null ? {} : { rows: options.rows }),
    });
    await writeFile(seen, '');
    return code;
  } catch (error) {
    if (!signal.aborted) say(`the demo was not finished: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  // A defect of ours keeps its stack; what the user can mend is one line.
  const words = error instanceof Error && !(error instanceof ToolFailure) ? (error.stack ?? error.message) : error;
  process.stderr.write(`${words instanceof ToolFailure ? words.message : String(words)}\n`);
  process.exitCode = 1;
}
process.exit();
