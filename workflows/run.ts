import { condition, workflowInfo } from '@temporalio/workflow';
import type { Site } from '../contracts/activities.ts';
import type { EventKind } from '../contracts/events.ts';
import type { JsonObject } from '../contracts/json.ts';
import type { DeploymentInput, Known, Order } from '../contracts/messages.ts';
import type { PartPlan, Plan, TablePlan } from '../contracts/plan.ts';
import type { Carried, DeskState, Progress, Status } from '../contracts/progress.ts';
import { endWaitIfApproved } from '../decisions/approvals.ts';
import { possibleOrders } from '../decisions/orders.ts';
import { phaseOf } from '../decisions/phase.ts';
import { heldObjects } from '../decisions/held-objects.ts';
import { partAt, partsOf } from '../decisions/parts.ts';
import { currentStage, expectedStage, notStarted, raiseTurn } from '../decisions/progress.ts';
import { emptyDesk, takeOrder } from '../decisions/take-order.ts';
import { Clerk } from './clerk.ts';

/** History events after which a run hands over; Temporal itself refuses more than 51,200. */
const budget = 4_000;

/** One run of a deployment: what it knows, and the only place where that changes. */
export class Run {
  readonly input: DeploymentInput;
  readonly plan: Plan;
  readonly clerk: Clerk;
  #progress: Progress;
  #desk: DeskState;
  #changedAt: number;

  constructor(input: DeploymentInput) {
    this.input = input;
    this.plan = input.plan;
    this.#changedAt = Date.now();
    this.#progress = input.carried?.progress ?? notStarted(input.plan, this.#changedAt);
    this.#desk = input.carried?.desk ?? emptyDesk;
    this.clerk = new Clerk(input, () => this.status());
  }

  get progress(): Progress {
    return this.#progress;
  }

  get desk(): DeskState {
    return this.#desk;
  }

  /** An order that takes the deployment back and has not been carried out yet. */
  get pending(): Order | null {
    return this.#desk.pending;
  }

  /** True when what runs has to be interrupted at once. */
  get aborted(): boolean {
    return this.pending !== null && this.pending.order !== 'rollback';
  }

  /** True when nothing new may be begun now. */
  get givesWay(): boolean {
    return this.pending !== null || this.#desk.paused;
  }

  /** The deployment is somewhere else now. */
  update(progress: Progress): void {
    this.#progress = progress;
    this.#touched();
  }

  /** Takes an order that was not refused. */
  take(order: Order): void {
    const { progress, desk } = takeOrder(
      { plan: this.plan, progress: this.#progress, desk: this.#desk },
      order,
      Date.now(),
    );
    this.#progress = endWaitIfApproved(this.plan, progress);
    this.#desk = desk;
    this.#touched();
  }

  /** The pending order is carried out, and with it any pause. */
  clearDesk(): void {
    this.#desk = { ...this.#desk, pending: null, paused: false, pausedBy: null };
    this.#touched();
  }

  /** Something happened; it goes into the ledger and the stream. */
  note(kind: EventKind, text: string, data: JsonObject = {}): void {
    this.clerk.note(Date.now(), kind, expectedStage(this.plan, this.#progress), text, data);
    this.#touched();
  }

  /** Everything that the plan is about. */
  get parts(): readonly PartPlan[] {
    return partsOf(this.plan);
  }

  /** What the current stage is about. */
  get part(): PartPlan {
    return partAt(this.plan, this.#progress.at);
  }

  /** Where the current stage looks and acts. */
  get target(): string {
    return this.part.target;
  }

  /** Where the next effect takes place, with a turn of its own. */
  effect(part: PartPlan = this.part): Site {
    this.update(raiseTurn(this.#progress));
    const { id: deployment } = this.input;
    const { target, object } = part;
    const { turn } = this.#progress;
    if ('model' in object) return { deployment, target, homeSchema: '', turn, model: object };
    return 'table' in object
      ? { deployment, target, homeSchema: object.homeSchema, turn }
      : { deployment, target, homeSchema: '', turn, objects: heldObjects(object) };
  }

  /** The plan, in a stage that only plans of tables have. */
  get tablePlan(): TablePlan {
    const { part } = this;
    if (part.dialect !== 'postgres') throw new TypeError('a stage of a table in a plan of something else');
    return part;
  }

  /** Waits until `fn` holds or an order takes the deployment back; at the most until the moment `until` (epoch ms). */
  async until(fn: () => boolean, until: number | null, summary: string): Promise<void> {
    this.clerk.flush();
    const holds = (): boolean => fn() || this.pending !== null;
    if (until === null) await condition(holds);
    else await condition(holds, Math.max(until - Date.now(), 1), { summary });
  }

  /** What people and programs see. */
  status(): Status {
    const { input, plan } = this;
    const progress = this.#progress;
    return {
      id: input.id,
      name: plan.name,
      target: plan.target,
      strategy: plan.strategy,
      planHash: plan.hash,
      phase: phaseOf(plan, progress, this.#desk.paused),
      stage: expectedStage(plan, progress),
      paused: this.#desk.paused,
      rate: this.rate(),
      progress,
      possible: possibleOrders(plan, progress, this.#desk),
      startedBy: input.startedBy,
      startedAt: input.startedAt,
      changedAt: this.#changedAt,
    };
  }

  /** Rows per second at the most, by order or else by plan; null: no bound. */
  rate(): number | null {
    if (this.#desk.rate !== undefined) return this.#desk.rate;
    return this.plan.stages.find((stage) => stage.kind === 'backfill')?.rate ?? null;
  }

  /** True when the history is long enough to hand over to a new run. */
  get isLong(): boolean {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || historyLength > (this.input.handOverAfter ?? budget);
  }

  /** What the next run needs. */
  carried(): Carried {
    return { progress: this.#progress, desk: this.#desk, ...this.clerk.carried() };
  }

  /** What a ledger that was lost is rebuilt from. */
  known(): Known {
    return { plan: this.plan, status: this.status(), carried: this.carried() };
  }

  /** The current stage; null when only the end remains. */
  stage(): Plan['stages'][number] | null {
    return currentStage(this.plan, this.#progress);
  }

  #touched(): void {
    this.#changedAt = Date.now();
    this.clerk.statusChanged();
  }
}
