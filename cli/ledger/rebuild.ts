import { Client, Connection, isGrpcServiceError, QueryNotRegisteredError } from '@temporalio/client';
import { loadTemporalConnection } from '../../config/index.ts';
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

/**
 * Asks Temporal for every deployment that it still has, asks each what it knows, and writes that into the ledger.
 * Throws Unreachable when Temporal does not answer.
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
  for await (const { id, ask } of deploymentsIn(env)) {
    if (await isWhole(id)) continue;
    const known = await ask();
    if (typeof known === 'string') unanswered.push({ id, because: known });
    else if (known.plan.environment !== config.environment) others += 1;
    // Before its first event it has not been accepted, and may never be.
    else if (known.carried.eventSeq > 0) {
      deployments.push({ id, phase: known.status.phase, ...(await writer.rebuild(known, now())) });
    }
  }
  return { deployments, unanswered, others };
}

interface Found {
  readonly id: string;
  /** Gives what it knows, or why it does not say. */
  readonly ask: () => Promise<Known | string>;
}

/** Found by their workflow types: these are there without any search attribute of ours. */
async function* deploymentsIn(env: NodeJS.ProcessEnv): AsyncGenerator<Found> {
  const { connectionOptions, namespace } = loadTemporalConnection(env);
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '5s' }).catch(() => {
    throw new Unreachable(`Temporal at ${connectionOptions.address} does not answer`);
  });
  const client = new Client({ connection, namespace });
  const types = Object.values(workflowTypes).map((type) => `'${type}'`);
  // Other ends are no ends of a deployment: it was not accepted, or was terminated by hand.
  const query = `WorkflowType IN (${types.join(', ')}) AND ExecutionStatus IN ('Running', 'Completed')`;
  try {
    for await (const { workflowId } of client.workflow.list({ query })) {
      yield { id: workflowId, ask: () => ask(client, workflowId) };
    }
  } finally {
    await connection.close();
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
