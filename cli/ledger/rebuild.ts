import { Client, Connection, isGrpcServiceError, QueryNotRegisteredError } from '@temporalio/client';
import { loadTemporalConnection, type Config } from '../../config/index.ts';
import { endPhases, workflowTypes, type Phase } from '../../contracts/catalog.ts';
import { knownQuery, type Known } from '../../contracts/messages.ts';
import { createLedgerReader, createLedgerWriter, migrateLedger, type Rebuilt } from '../../ledger/index.ts';
import { Unreachable } from '../failure.ts';
import type { LedgerWork } from './with-ledger.ts';

/** What became of the ledger. */
export interface RebuildReport {
  readonly deployments: readonly ({ readonly id: string; readonly phase: Phase } & Rebuilt)[];
  /** Those that could not be asked. */
  readonly unanswered: readonly { readonly id: string; readonly because: string }[];
  /** How many belong to other environments that share the namespace. */
  readonly others: number;
}

/** How long one deployment gets to answer, ms: its worker may have to replay its history first. */
const patience = 15_000;
/** How many are asked at a time: of many without a worker, each takes all of its patience. */
const atOnce = 16;

/**
 * Asks Temporal for every deployment that it still has on the task queues of our targets, asks each what it knows, and
 * writes that into the ledger. Throws Unreachable when Temporal does not answer.
 */
export async function rebuildLedger({ ledger, config, env }: LedgerWork, now: () => number): Promise<RebuildReport> {
  await migrateLedger(ledger);
  const [reader, writer] = [createLedgerReader(ledger), createLedgerWriter(ledger)];
  const isWhole = async (id: string): Promise<boolean> => {
    const status = (await reader.find(id))?.status;
    return status?.id === id && endPhases.some((end) => end === status.phase) && (await reader.report(id)) !== null;
  };
  const deployments: RebuildReport['deployments'][number][] = [];
  const unanswered: RebuildReport['unanswered'][number][] = [];
  let others = 0;
  const take = async ({ id, ask }: Found): Promise<void> => {
    if (await isWhole(id)) return;
    const known = await ask();
    if (typeof known === 'string') unanswered.push({ id, because: known });
    else if (known.plan.environment !== config.environment) others += 1;
    // Before its first event it has not been accepted, and may never be.
    else if (known.carried.eventSeq > 0) {
      deployments.push({ id, phase: known.status.phase, ...(await writer.rebuild(known, now())) });
    }
  };
  await withDeployments(env, queuesOf(config), (found) => eachOf(found, take));
  return { deployments, unanswered, others };
}

interface Found {
  readonly id: string;
  /** Gives what it knows, or why it does not say. */
  readonly ask: () => Promise<Known | string>;
}

const queuesOf = ({ targets }: Config): readonly string[] => [
  ...new Set(Object.values(targets).map(({ taskQueue }) => taskQueue)),
];

/** Several at a time; the first that fails ends it. */
async function eachOf(all: AsyncIterable<Found>, take: (found: Found) => Promise<void>): Promise<void> {
  const iterator = all[Symbol.asyncIterator]();
  const lane = async (): Promise<void> => {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) await take(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Found by their workflow types and task queues: these are there without any search attribute of ours. */
async function withDeployments(
  env: NodeJS.ProcessEnv,
  queues: readonly string[],
  work: (found: AsyncIterable<Found>) => Promise<void>,
): Promise<void> {
  const { connectionOptions, namespace } = loadTemporalConnection(env);
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '5s' }).catch(() => {
    throw new Unreachable(`Temporal at ${connectionOptions.address} does not answer`);
  });
  try {
    await work(deploymentsOn(new Client({ connection, namespace }), queues));
  } finally {
    await connection.close();
  }
}

async function* deploymentsOn(client: Client, queues: readonly string[]): AsyncGenerator<Found> {
  const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');
  // Other ends are no ends of a deployment: it was not accepted, or was terminated by hand.
  const query = `WorkflowType IN (${list(Object.values(workflowTypes))}) AND TaskQueue IN (${list(queues)}) AND ExecutionStatus IN ('Running', 'Completed')`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    yield { id: workflowId, ask: () => ask(client, workflowId) };
  }
}

async function ask(client: Client, id: string): Promise<Known | string> {
  try {
    return await client.withDeadline(Date.now() + patience, () =>
      client.workflow.getHandle(id).query<Known>(knownQuery),
    );
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) return 'its worker is of a version that can not be asked';
    if (isGrpcServiceError(error)) return 'no worker answers for it';
    return error instanceof Error ? error.name : 'unknown reason';
  }
}
