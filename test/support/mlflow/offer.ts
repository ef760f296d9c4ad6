import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { getMlflow, whyNoMlflow } from '../../../tools/mlflow/get.ts';
import { environment, startMlflow, startScoring, type RunningMlflow } from '../../../tools/mlflow/server.ts';
import { offer } from '../on-demand.ts';

/** A model that was logged, to be registered under any name. */
export interface LoggedModel {
  readonly id: string;
  readonly run: string;
}

/** Right about four of five numbers; about 49 of 50; the same, and it wants a column more. */
export type ModelName = 'usual' | 'better' | 'wider';

/** The run's registry, and the models that were logged there. */
export interface OfferedRegistry {
  readonly url: string;
  readonly models: Readonly<Record<ModelName, LoggedModel>>;
}

const run = promisify(execFile);
const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Offers one MLflow for the whole run, and a scoring server each of two models: started when a test asks for them. */
export async function offerMlflow(
  folder: string,
  say: (line: string) => void,
): Promise<{ address: string; stop: () => Promise<void> }> {
  const installing = new AbortController();
  const recordIn = join(folder, 'processes');
  const started: Promise<RunningMlflow>[] = [];
  const keep = (server: Promise<RunningMlflow>): Promise<RunningMlflow> => {
    started.push(server);
    return server;
  };
  const look = async (): Promise<string> => {
    const why = (await whyNoMlflow()) ?? '';
    // Jest shows no names of suites that are skipped
    if (why !== '') say(`suites on MLflow are skipped: ${why}`);
    return why;
  };
  let programs: Promise<string> | undefined;
  const installed = (): Promise<string> => (programs ??= getMlflow(say, { signal: installing.signal }));
  const registry = async (): Promise<string> => {
    const { url } = await keep(startMlflow({ programs: await installed(), recordIn }));
    return JSON.stringify({ url, models: await logged(await installed(), url) });
  };
  // each is done once, however many ask
  const given = new Map<string, Promise<string>>();
  const once = (path: string, make: () => Promise<string>): Promise<string> => {
    const answer = given.get(path) ?? make();
    given.set(path, answer);
    return answer;
  };
  const scoring = async (name: ModelName): Promise<string> => {
    const { url, models } = JSON.parse(await once('registry', registry)) as OfferedRegistry; // written above
    const options = { programs: await installed(), recordIn, registry: url, model: `models:/${models[name].id}` };
    return (await keep(startScoring(options))).url;
  };
  const offered: Readonly<Record<string, () => Promise<string>>> = {
    lacking: look,
    registry,
    usual: () => scoring('usual'),
    better: () => scoring('better'),
  };
  const { address, close } = await offer((path) => {
    const make = offered[path];
    return make === undefined ? null : once(path, make);
  });
  const stop = async (): Promise<void> => {
    close();
    installing.abort();
    // one that did not start has told whoever asked for it
    const servers = await Promise.allSettled(started);
    await Promise.all(servers.flatMap((server) => (server.status === 'fulfilled' ? [server.value.stop()] : [])));
  };
  return { address, stop };
}

async function logged(programs: string, url: string): Promise<OfferedRegistry['models']> {
  const { stdout } = await run(join(programs, 'python'), [beside('log-models.py'), url, beside('model.py')], {
    env: environment(programs),
    timeout: 120_000,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as OfferedRegistry['models']; // its last line
}
