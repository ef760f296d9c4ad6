import { fileURLToPath } from 'node:url';
import { Worker, bundleWorkflowCode, type NativeConnection, type WorkflowBundleOption } from '@temporalio/worker';
import { createActivities, type ActivityDependencies } from '../activities/index.ts';
import type { Config } from '../config/index.ts';

/** Bundles the workflows, once for all workers of the process. */
export const bundleWorkflows = (logger: Parameters<typeof bundleWorkflowCode>[0]['logger']) =>
  bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
    ...(logger === undefined ? {} : { logger }),
  });

/** One worker for each task queue of the configuration's targets. */
export function createWorkers(
  { targets }: Pick<Config, 'targets'>,
  connection: NativeConnection,
  namespace: string,
  workflowBundle: WorkflowBundleOption,
  dependencies: ActivityDependencies,
): Promise<Worker[]> {
  const activities = createActivities(dependencies);
  const taskQueues = [...new Set(Object.values(targets).map(({ taskQueue }) => taskQueue))];
  return Promise.all(
    taskQueues.map((taskQueue) =>
      Worker.create({
        ...temperament,
        connection,
        namespace,
        taskQueue,
        maxCachedWorkflows: Math.max(leastCached, Math.floor(cached / taskQueues.length)),
        workflowBundle,
        activities: { ...activities },
      }),
    ),
  );
}

/**
 * Deployments that a process keeps in memory, at about a megabyte each. Most of them wait for days; one that is not kept
 * is read again from its history when something happens to it, which takes a tenth of a second.
 */
const cached = 400;
const leastCached = 50;

const temperament = {
  // A heartbeat is also how a running activity learns that it is cancelled: throttled, an abort would take that long.
  maxHeartbeatThrottleInterval: '1s',
  defaultHeartbeatThrottleInterval: '1s',
  // When the worker that had a workflow in its cache dies, the next one waits this long before it takes over.
  stickyQueueScheduleToStartTimeout: '1s',
  // A slice that is told to end needs a chunk's time to hand back.
  shutdownGraceTime: '5s',
  shutdownForceTime: '15s',
} as const;
