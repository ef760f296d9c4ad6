import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';

/** What the probe's thread is given. */
export interface ProbeThreadInput {
  /** Secrets are in it: it goes nowhere else. */
  readonly url: string;
  readonly applicationName: string;
  /** Run once. */
  readonly prepare: readonly string[];
  /** Rows' keys. */
  readonly keys: string;
  /** One row by its key. */
  readonly one: string;
  /** A commit that waits for the disk; null: none, as plans of before have it. */
  readonly commit: { readonly sql: string; readonly deployment: string } | null;
}

/** When a statement was sent, epoch ms, and how long its answer took, ms. */
export type ProbeSample = readonly [at: number, ms: number];

/** Between two statements, ms. */
const pauseMs = 20;
/** Samples are handed over in bundles, ms: the other thread has better things to do than to listen. */
const bundleMs = 250;
const rekeyMs = 30_000;

/**
 * Asks for single rows and times the answers, in a thread of its own: on the thread that writes the chunks it would
 * measure that thread's work, which no application waits for.
 */
async function probe(input: ProbeThreadInput, tell: (samples: ProbeSample[]) => void) {
  const { prepare, keys, one } = input;
  const client = await connect(input);
  const commit = await committer(input);
  for (const sql of prepare) await client.query(sql);
  let known: string[][] = [];
  let bundle: ProbeSample[] = [];
  let [keyedAt, toldAt] = [0, Date.now()];
  for (;;) {
    const at = Date.now();
    if (known.length === 0 || at - keyedAt > rekeyMs) {
      known = (await client.query<string[]>({ text: keys, rowMode: 'array' })).rows;
      keyedAt = at;
    }
    const values = known[Math.floor(Math.random() * known.length)];
    const started = performance.now();
    // an empty table is asked too: the statement takes its way all the same
    await (values === undefined ? client.query('SELECT 1') : client.query({ name: 'one', text: one, values }));
    await commit();
    bundle.push([at, performance.now() - started]);
    if (at - toldAt > bundleMs) {
      tell(bundle);
      [bundle, toldAt] = [[], at];
    }
    await sleep(pauseMs);
  }
}

async function connect({ url, applicationName }: ProbeThreadInput): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: applicationName, query_timeout: 10_000 });
  client.on('error', () => process.exit(1));
  await client.connect();
  return client;
}

/** Commits in a session of its own: the other one may act as the owner of the table, who knows nothing of our schema. */
async function committer(input: ProbeThreadInput): Promise<() => Promise<unknown>> {
  const { commit } = input;
  if (commit === null) return () => Promise.resolve();
  const client = await connect(input);
  await client.query('SET synchronous_commit = on');
  return () => client.query({ name: 'commit', text: commit.sql, values: [commit.deployment] });
}

// what `ProbeSource` hands over
if (parentPort !== null) {
  const port = parentPort;
  // the reason is the driver's and may hold an address; that no samples come says enough
  await probe(workerData as ProbeThreadInput, (samples) => port.postMessage(samples)).catch(() => process.exit(1));
}
