import type { Plan } from '../../contracts/plan.ts';
import { activityInfo } from '@temporalio/activity';
import { Client, Connection, WithStartWorkflowOperation, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { workflowTypes, type OrderName, type Phase } from '../../contracts/catalog.ts';
import type { ModelSpec } from '../../contracts/model-spec.ts';
import type { BlueGreenSpec, CanarySpec, ShadowSpec } from '../../contracts/release-spec.ts';
import type { Actor, DeploymentInput, InspectInput } from '../../contracts/messages.ts';
import type { Activities } from '../../contracts/activities.ts';
import type { Outcome, Status } from '../../contracts/progress.ts';
import { modelPlan } from './model-plans.ts';
import { jointPlan } from './joint-plans.ts';
import { testPlan, type PlanWishes } from './plans.ts';
import {
  blueGreenPlan,
  canaryPlan,
  lookingOften,
  recreatePlan,
  rollingPlan,
  shadowPlan,
  type RollingWishes,
} from './release-plans.ts';
import { temporalAddress, workflowBundle } from './servers.ts';
import { World } from './world.ts';

/** Who starts the deployments of the stories. */
export const author: Actor = { name: 'ann', role: 'operator', groups: [], via: 'api' };
/** Who approves in them. */
export const approver: Actor = { name: 'dora', role: 'approver', groups: ['dba'], via: 'api' };

/** What histories call the workers and clients of tests, wherever they run. */
const identity = 'test';

/** One deployment under way. */
export interface Underway {
  readonly id: string;
  readonly handle: WorkflowHandle;
  /** What `accept` answered. */
  readonly accepted: Status;
  status(): Promise<Status>;
  /** Sends an order as an update; stage and actor are right unless given. */
  order(name: OrderName, fields?: Record<string, unknown>, updateId?: string): Promise<Status>;
  /** Sends an order as a signal. */
  signal(name: OrderName, fields?: Record<string, unknown>): Promise<void>;
  /** Waits until the status is as wanted; fails after 20 s unless given, saying how it was. */
  until(wanted: (status: Status) => boolean, atMostMs?: number): Promise<Status>;
  untilPhase(...phases: Phase[]): Promise<Status>;
  outcome(): Promise<Outcome>;
}

type Loop = (input: DeploymentInput) => Promise<Outcome>;

/** A Temporal client and one worker for all stories of a test file; each deployment lives in a world of its own. */
export class Theatre {
  readonly client: Client;
  readonly taskQueue: string;
  readonly #native: NativeConnection;
  readonly #worlds: Map<string, World>;
  readonly #worker: Worker;
  readonly #running: Promise<void>;

  private constructor(client: Client, native: NativeConnection, worker: Worker, worlds: Map<string, World>) {
    this.client = client;
    this.taskQueue = worker.options.taskQueue;
    this.#native = native;
    this.#worlds = worlds;
    this.#worker = worker;
    this.#running = worker.run();
  }

  static async open(): Promise<Theatre> {
    quietly();
    const address = temporalAddress();
    const [connection, native] = await Promise.all([
      Connection.connect({ address }),
      NativeConnection.connect({ address }),
    ]);
    const worlds = new Map<string, World>();
    const worker = await Worker.create({
      connection: native,
      taskQueue: `stories-${crypto.randomUUID()}`,
      identity,
      workflowBundle: workflowBundle(),
      activities: activitiesOf(worlds),
      maxHeartbeatThrottleInterval: 100,
      defaultHeartbeatThrottleInterval: 100,
      shutdownGraceTime: 0,
    });
    return new Theatre(new Client({ connection, identity }), native, worker, worlds);
  }

  /** Starts a deployment in `world` as the API does, and waits until it was accepted. */
  async deploy(world: World, wishes: PlanWishes = {}, input: Partial<DeploymentInput> = {}): Promise<Underway> {
    return this.deployPlan(world, testPlan({ ...wishes, taskQueue: this.taskQueue }), input);
  }

  /** A rollout of a workload. */
  async roll(world: World, wishes: RollingWishes = {}): Promise<Underway> {
    return this.deployPlan(world, rollingPlan(this.taskQueue, wishes), {});
  }

  /** A growing share of the traffic for a candidate. */
  canary(world: World, wishes: Partial<CanarySpec> = {}, input: Partial<DeploymentInput> = {}): Promise<Underway> {
    return this.deployPlan(world, lookingOften(canaryPlan(this.taskQueue, wishes)), input);
  }

  /** All traffic for the idle one of two sides. */
  blueGreen(world: World, wishes: Partial<BlueGreenSpec> = {}): Promise<Underway> {
    return this.deployPlan(world, lookingOften(blueGreenPlan(this.taskQueue, wishes)), {});
  }

  /** A candidate whose answers are only compared. */
  shadow(world: World, wishes: Partial<ShadowSpec> = {}, input: Partial<DeploymentInput> = {}): Promise<Underway> {
    return this.deployPlan(world, shadowPlan(this.taskQueue, wishes), input);
  }

  /** A table and a service in one plan. */
  release(world: World, wishes: PlanWishes = {}): Promise<Underway> {
    return this.deployPlan(world, jointPlan(this.taskQueue, wishes), {});
  }

  /** Another version of a model. */
  model(world: World, wishes: Partial<ModelSpec> = {}): Promise<Underway> {
    return this.deployPlan(world, modelPlan(this.taskQueue, wishes), {});
  }

  /** Other pods after an outage. */
  recreate(world: World): Promise<Underway> {
    return this.deployPlan(world, recreatePlan(this.taskQueue), {});
  }

  async deployPlan(world: World, plan: Plan, input: Partial<DeploymentInput>): Promise<Underway> {
    const id = input.id ?? `${plan.name}-${crypto.randomUUID().slice(0, 8)}`;
    this.#worlds.set(id, world);
    const startWorkflowOperation = new WithStartWorkflowOperation<Loop>(workflowTypes[plan.strategy], {
      workflowId: id,
      taskQueue: plan.taskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      args: [{ id, plan, startedBy: author, startedAt: Date.now(), ...input }],
    });
    const accepted = await this.client.workflow.executeUpdateWithStart<Loop, Status, [object]>('accept', {
      args: [{}],
      startWorkflowOperation,
    });
    return underway(this.client.workflow.getHandle(id), id, accepted);
  }

  /** Has a table inspected in `world`, and answers the id of the workflow that did. */
  async inspect(world: World): Promise<string> {
    const { spec, dialect, object } = testPlan();
    const workflowId = `inspect-${crypto.randomUUID()}`;
    this.#worlds.set(workflowId, world);
    const input: InspectInput = { spec, dialect, homeSchema: object.homeSchema };
    await this.client.workflow.execute('inspect', { workflowId, taskQueue: this.taskQueue, args: [input] });
    return workflowId;
  }

  async close(): Promise<void> {
    this.#worker.shutdown();
    await this.#running;
    await this.#native.close();
    await this.client.connection.close();
  }
}

/** Activities that act in the world of the deployment that calls them. */
function activitiesOf(worlds: ReadonlyMap<string, World>): Record<string, (input: never) => Promise<unknown>> {
  const names = Object.keys(new World().activities()) as (keyof Activities)[]; // an object of activities has no other keys
  return Object.fromEntries(
    names.map((name) => [
      name,
      async (input: never) => {
        const world = worlds.get(activityInfo().workflowExecution?.workflowId ?? '');
        if (world === undefined) throw new Error('this deployment has no world');
        return world.activities()[name](input);
      },
    ]),
  );
}

function underway(handle: WorkflowHandle, id: string, accepted: Status): Underway {
  const status = (): Promise<Status> => handle.query('status');
  const fill = async (fields: Record<string, unknown>) => {
    const { stage, planHash, progress } = await status();
    const evidenceHash = progress.evidence?.stage === stage ? progress.evidence.hash : null;
    const common = { actor: author, reason: 'the story wants it', stage, id: crypto.randomUUID() };
    return { ...common, planHash, evidenceHash, signature: 'signed', ...fields };
  };
  const until = async (wanted: (status: Status) => boolean, atMostMs = 20_000): Promise<Status> => {
    const giveUp = Date.now() + atMostMs;
    for (;;) {
      const now = await status();
      if (wanted(now)) return now;
      if (Date.now() > giveUp)
        throw new Error(`it stayed ${now.phase} in ${now.stage}: ${JSON.stringify(now.progress)}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };
  return {
    id,
    handle,
    accepted,
    status,
    async order(name, fields = {}, updateId) {
      const args: [object] = [await fill(fields)];
      return handle.executeUpdate(name, updateId === undefined ? { args } : { args, updateId });
    },
    async signal(name, fields = {}) {
      await handle.signal(name, await fill(fields));
    },
    until,
    untilPhase: (...phases) => until(({ phase }) => phases.includes(phase)),
    // The handle's type does not know what the workflow returns.
    outcome: async () => (await handle.result()) as Outcome,
  };
}

let quiet = false;
/** One runtime per test file, which says only what is wrong. */
function quietly(): void {
  if (!quiet)
    Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });
  quiet = true;
}
