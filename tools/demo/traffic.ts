import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { codeOf } from '../../cli/failure.ts';
import { type Figures, Latencies } from './latencies.ts';
import { pick, type Version } from './requests.ts';

/** Which part of the demo a figure belongs to. */
export type Period = 'before' | 'during';

/** How the application is run. */
export interface TrafficOptions {
  readonly databaseUrl: string;
  /** Instances of the application, one connection each. */
  readonly instances: number;
  /** Requests per second, all instances together. */
  readonly perSecond: number;
  /** How many instances run the new version from the beginning. */
  readonly released: number;
}

/** An application that knows nothing of deployments: it reads and writes payments under its own deadlines. */
export interface Traffic {
  readonly figures: () => Readonly<Record<Period, Figures>>;
  /** From now on requests count for this period. */
  readonly startPeriod: (period: Period) => void;
  /** How many instances run the new version; the others run the old one. */
  readonly release: (instances: number) => void;
  /** Ends all instances after their present request. */
  readonly stop: () => Promise<void>;
}

/** Starts the application. Throws when the database can't be reached at all; later failures are counted. */
export async function startTraffic(options: TrafficOptions): Promise<Traffic> {
  const state = new State(await highestId(options.databaseUrl), options.released);
  const instances = Array.from({ length: options.instances }, (_, index) => runInstance(index, state, options));
  return {
    figures: () => ({ before: state.periods.before.figures(), during: state.periods.during.figures() }),
    startPeriod: (period) => {
      state.period = period;
    },
    release: (count) => {
      state.released = count;
    },
    stop: async () => {
      state.stopping.abort();
      await Promise.all(instances);
    },
  };
}

/** What the instances share. */
class State {
  readonly periods: Readonly<Record<Period, Latencies>> = { before: new Latencies(), during: new Latencies() };
  readonly stopping = new AbortController();
  period: Period = 'before';
  released: number;
  private highest: number;

  constructor(highest: number, released: number) {
    this.highest = highest;
    this.released = released;
  }

  readonly inserted = (id: number): void => {
    this.highest = Math.max(this.highest, id);
  };

  /** Any row, and one in ten times one of the latest hundred: rows that everybody wants. */
  readonly someId = (): number => {
    const span = Math.random() < 0.1 ? Math.min(100, this.highest) : this.highest;
    return this.highest - Math.floor(Math.random() * span);
  };

  get measured(): Latencies {
    return this.periods[this.period];
  }
}

/** The deadlines are the application's own: whoever makes it wait longer has broken it. */
const deadlines = { lock_timeout: 1_000, statement_timeout: 2_000, connectionTimeoutMillis: 5_000 };

async function runInstance(
  index: number,
  state: State,
  { databaseUrl, instances, perSecond }: TrafficOptions,
): Promise<void> {
  const everyMs = (1_000 * instances) / perSecond;
  const { signal } = state.stopping;
  let connection: pg.Client | null = null;
  let next = performance.now() + Math.random() * everyMs;
  while (!signal.aborted) {
    await sleep(Math.max(0, next - performance.now()), undefined, { signal }).catch(() => undefined);
    if (isStopped(signal)) break;
    // After a stall the next request comes at once, but requests that nobody sent meanwhile are not caught up with.
    next = Math.max(next + everyMs, performance.now() - everyMs);
    connection = await oneRequest(connection, databaseUrl, index < state.released ? 'new' : 'old', state);
  }
  await connection?.end().catch(() => undefined);
}

/** Aborted meanwhile: TypeScript believes that it can't have changed since the loop's own test. */
const isStopped = (signal: AbortSignal): boolean => signal.aborted;

/** Does one request and gives back the connection for the next one; null: it needs a new one. */
async function oneRequest(
  before: pg.Client | null,
  databaseUrl: string,
  version: Version,
  state: State,
): Promise<pg.Client | null> {
  const began = performance.now();
  let connection = before;
  try {
    connection ??= await connect(databaseUrl);
    const right = await pick(Math.random())(connection, { version, someId: state.someId, inserted: state.inserted });
    state.measured.add(performance.now() - began);
    if (!right) state.measured.addWrongRead();
    return connection;
  } catch (error) {
    state.measured.addError(codeOf(error) ?? 'connection', performance.now() - began);
    if (error instanceof pg.DatabaseError && !isLost(error.code)) return connection;
    await connection?.end().catch(() => undefined);
    return null;
  }
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, application_name: 'checkout', ...deadlines });
  // A connection that breaks while idle is noticed by the next request.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Class 57P: the server is going away. */
const isLost = (code: string | undefined): boolean => code?.startsWith('57P') === true;

async function highestId(databaseUrl: string): Promise<number> {
  const client = await connect(databaseUrl);
  try {
    const found = await client.query<{ highest: string | null }>(
      'select max(id)::text as highest from public.payments',
    );
    return Number(found.rows[0]?.highest ?? 1);
  } finally {
    await client.end();
  }
}
