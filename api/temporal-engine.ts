import { randomUUID } from 'node:crypto';
import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { temporalAddressOf } from '../config/index.ts';
import { workflowTypes } from '../contracts/catalog.ts';
import type { TableFacts } from '../contracts/facts.ts';
import type { ClusterFacts } from '../contracts/cluster-facts.ts';
import { plannedObject } from '../decisions/spec-object.ts';
import type { ModelFacts } from '../contracts/model.ts';
import { acceptUpdate, type DeploymentInput, type InspectInput } from '../contracts/messages.ts';
import type { Plan } from '../contracts/plan.ts';
import type { Status } from '../contracts/progress.ts';
import type { Engine } from './engine.ts';
import { isCode, refusalOf } from './temporal-failures.ts';
import { Refusal } from './problems.ts';

/** How the engine is set up. */
export interface TemporalEngineOptions {
  readonly client: Client;
  readonly namespace: string;
  readonly homeSchema: string;
  /** Prefix of our search attributes; null: the namespace does not have them. Asked before each start. */
  readonly searchAttributes: () => Promise<string | null>;
  /** Address of Temporal's user interface. */
  readonly ui: string;
  /** How long a caller waits for a worker, ms. */
  readonly patienceMs?: number;
}

/** The engine over a Temporal server. */
export function createTemporalEngine(options: TemporalEngineOptions): Engine {
  const { client, namespace, ui, patienceMs = 20_000 } = options;
  const patiently = <T>(work: () => Promise<T>): Promise<T> => client.withDeadline(Date.now() + patienceMs, work);
  const refuse = async (error: unknown, id: string): Promise<never> => {
    throw await explain(options, error, id);
  };
  const home = { homeSchema: options.homeSchema };
  const inspect = async <F>(input: InspectInput, taskQueue: string): Promise<F> => {
    const workflowId = `inspect-${randomUUID()}`;
    return patiently(() =>
      client.workflow.execute<(input: InspectInput) => Promise<F>>('inspect', {
        workflowId,
        taskQueue,
        args: [input],
        workflowExecutionTimeout: patienceMs,
      }),
    ).catch((error: unknown) => refuse(error, workflowId));
  };
  return {
    inspect: (spec, { taskQueue }) => inspect<TableFacts>({ spec, dialect: 'postgres', ...home }, taskQueue),

    inspectCluster: (target, looks, { taskQueue }) =>
      inspect<ClusterFacts>({ target, looks, dialect: 'kubernetes' }, taskQueue),

    inspectModel: (target, looks, { taskQueue }) =>
      inspect<ModelFacts>({ target, looks, dialect: 'mlflow' }, taskQueue),

    start: (input) =>
      patiently(async () => start(client, input, await options.searchAttributes())).catch((error: unknown) =>
        error instanceof WorkflowExecutionAlreadyStartedError ? null : refuse(error, input.id),
      ),

    order: (id, name, order) =>
      patiently(() =>
        client.workflow
          .getHandle(id)
          .executeUpdate<Status, [typeof order]>(name, { args: [order], updateId: order.id }),
      ).catch((error: unknown) => (error instanceof WorkflowNotFoundError ? null : refuse(error, id))),

    async ping() {
      if (!(await answers(options))) throw unreachable();
    },

    address: (id) => temporalAddressOf(ui, namespace, id),
  };
}

const unreachable = (): Refusal => new Refusal('ENGINE_UNREACHABLE', 'Temporal does not answer');

/** When nobody answered in time: Temporal may be away, or the workflow's activity fails again and again, or no worker is there. */
async function explain(options: TemporalEngineOptions, error: unknown, workflowId: string): Promise<Refusal> {
  const refusal = refusalOf(error);
  if (refusal.code !== 'WORKER_ABSENT') return refusal;
  if (!(await answers(options))) return unreachable();
  return (await lastFailure(options.client, workflowId)) ?? refusal;
}

async function answers({ client, namespace }: TemporalEngineOptions): Promise<boolean> {
  try {
    await client.withDeadline(Date.now() + 2_000, () => client.workflowService.describeNamespace({ namespace }));
    return true;
  } catch {
    return false;
  }
}

async function lastFailure(client: Client, workflowId: string): Promise<Refusal | null> {
  try {
    const { raw } = await client.withDeadline(Date.now() + 2_000, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    const failures = (raw.pendingActivities ?? []).map(({ lastFailure: failure }) => failure);
    const failure = failures.find((found) => isCode(found?.applicationFailureInfo?.type));
    const code = failure?.applicationFailureInfo?.type;
    return isCode(code) ? new Refusal(code, String(failure?.message)) : null;
  } catch {
    return null;
  }
}

async function start(client: Client, input: DeploymentInput, searchAttributes: string | null): Promise<Status> {
  const { id, plan } = input;
  const operation = new WithStartWorkflowOperation<(input: DeploymentInput) => Promise<unknown>>(
    workflowTypes[plan.strategy],
    {
      workflowId: id,
      taskQueue: plan.taskQueue,
      args: [{ ...input, searchAttributePrefix: searchAttributes }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      // What was refused by the target may be tried again under the same id; what has ended otherwise may not.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      staticSummary: `${plan.name}: ${plan.strategy} on ${plan.target}`.slice(0, 180),
      staticDetails: detailsOf(plan),
      memo: { specHash: plan.specHash, table: plannedObject(plan) },
      ...(searchAttributes === null ? {} : { typedSearchAttributes: attributesOf(plan, searchAttributes) }),
    },
  );
  // One update id for all who ask: whoever comes second gets the first one's answer.
  return client.workflow.executeUpdateWithStart<(input: DeploymentInput) => Promise<unknown>, Status, []>(
    acceptUpdate,
    {
      startWorkflowOperation: operation,
      updateId: `accept-${id}`,
      args: [],
    },
  );
}

function attributesOf(plan: Plan, prefix: string): SearchAttributePair[] {
  const keyword = (name: string, value: string): SearchAttributePair => ({
    key: defineSearchAttributeKey(`${prefix}${name}`, 'KEYWORD'),
    value,
  });
  return [
    keyword('Environment', plan.environment),
    keyword('Target', plan.target),
    keyword('Strategy', plan.strategy),
    keyword('Phase', 'starting'),
    keyword('Stage', plan.stages[0]?.name ?? ''),
    keyword('PlanHash', plan.hash),
    { key: defineSearchAttributeKey(`${prefix}Progress`, 'INT'), value: 0 },
  ];
}

/** Markdown for Temporal's user interface; it takes 20,000 bytes. */
function detailsOf({ name, target, hash, risk, stages }: Plan): string {
  const lines = stages.map((stage, index) => `${index + 1}. **${stage.name}**: ${stage.title}`);
  const head = [`**${name}** on **${target}**`, `plan \`${hash}\``, `risk: ${risk.level}`];
  return [...head, '', ...lines].join('\n').slice(0, 8_000);
}
