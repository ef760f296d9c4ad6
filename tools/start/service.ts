import type { Home } from '../home.ts';
import { claimPort, freePort } from '../ports.ts';
import { publish, unpublish, type Addresses } from './addresses.ts';
import { createCrew, type Crew } from './crew.ts';
import { startOwnDatabases, useDatabase, type Databases } from './databases.ts';
import { writeEmbeddedConfig } from './embedded-config.ts';
import { startOwnEngine, useEngine, type Engine } from './engine.ts';
import { nodePart } from './node-part.ts';
import type { StartOptions } from './options.ts';

/** The service that runs. */
export interface Service {
  readonly addresses: Addresses;
  /** The sample target's URL, password included. */
  readonly shopUrl: string;
  /** Ends all that was started. */
  readonly stop: () => Promise<void>;
}

/** What a start works with. */
export interface Surroundings {
  readonly options: StartOptions;
  readonly home: Home;
  /** Folder of the processes that are ours. */
  readonly records: string;
  readonly say: (line: string) => void;
  /** Gives the start up. */
  readonly signal: AbortSignal;
}

/** Starts everything that is not given by address. What it has started is ended when anything fails or the signal comes. */
export async function startService(surroundings: Surroundings): Promise<Service> {
  const { records, say, signal, home } = surroundings;
  const crew = createCrew(records, say);
  const stop = async (): Promise<void> => {
    await crew.stop();
    await unpublish(home.run);
  };
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('stopped while starting')), { once: true });
  });
  try {
    return { ...(await Promise.race([startAll(surroundings, crew), aborted])), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(surroundings: Surroundings, crew: Crew): Promise<Omit<Service, 'stop'>> {
  const { options, home } = surroundings;
  const ports = await claimPorts(options);
  const [databases, engine] = await allOrFirstFailure(
    databasesOf(surroundings, crew, ports.postgres),
    engineOf(surroundings, crew, ports),
  );
  // Written in any case: a configuration of the user's own may be a copy that names the same files.
  const embedded = await writeEmbeddedConfig(home, { ...databases, apiPort: ports.api, temporalUi: engine.ui });
  const config = options.config ?? embedded;
  const env = { ...engine.env, LAKESHIFT_CONFIG: config };
  const address = await startPrograms(surroundings, crew, options.config === null ? withoutOverrides(env) : env);
  const addresses = { address: address ?? `http://127.0.0.1:${ports.api}`, temporal: engine.address, ui: engine.ui };
  await publish(home.run, addresses);
  return { addresses, shopUrl: databases.shopUrl };
}

/** Looks at all ports before anything is started: a taken one should cost a second, not a minute. */
async function claimPorts(options: StartOptions): Promise<StartOptions['ports']> {
  const wanted = [
    ['api', 'the API', 'LAKESHIFT_API_PORT', options.config === null],
    ['temporal', 'Temporal', 'LAKESHIFT_TEMPORAL_PORT', options.temporalAddress === null],
    ['ui', "Temporal's UI", 'LAKESHIFT_UI_PORT', options.temporalAddress === null],
    ['postgres', 'PostgreSQL', 'LAKESHIFT_POSTGRES_PORT', options.databaseUrl === null],
  ] as const;
  const ports = { ...options.ports };
  for (const [name, what, variable, isOurs] of wanted) {
    if (!isOurs) continue;
    if (ports[name] === 0) ports[name] = await freePort();
    else await claimPort(ports[name], what, variable);
  }
  return ports;
}

function databasesOf({ options, home, records }: Surroundings, crew: Crew, port: number): Promise<Databases> {
  if (options.databaseUrl !== null) return useDatabase(options.databaseUrl, options.config === null);
  return startOwnDatabases(home, crew, records, port);
}

function engineOf(
  { options, home, records, say, signal }: Surroundings,
  crew: Crew,
  ports: StartOptions['ports'],
): Promise<Engine> {
  if (options.temporalAddress !== null) return useEngine(options.temporalAddress, process.env);
  return startOwnEngine(home, crew, records, ports, say, signal);
}

/** The API's own word for its address, when it gives one. */
async function startPrograms(
  { home, records }: Surroundings,
  crew: Crew,
  env: NodeJS.ProcessEnv,
): Promise<string | null> {
  let announced: string | null = null;
  const common = { env, logFolder: home.log, recordIn: records };
  const onAddress = (address: string): void => {
    announced = address;
  };
  await crew.add(nodePart({ ...common, name: 'worker', file: 'worker/main.ts' }));
  await crew.add(nodePart({ ...common, name: 'API', file: 'api/server.ts', onAddress }));
  return announced;
}

/** What these variables say stands in the embedded configuration already, with free ports filled in. */
function withoutOverrides(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { LAKESHIFT_API_PORT: _port, LAKESHIFT_DATABASE_URL: _url, LAKESHIFT_API_HOST: _host, ...rest } = env;
  return rest;
}

/** Like `Promise.all`, but nothing is still starting when it rejects. */
async function allOrFirstFailure<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}
