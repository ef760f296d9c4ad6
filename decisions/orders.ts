import { orderNames, type OrderName, type StageKind } from '../contracts/catalog.ts';
import type { FailureCode } from '../contracts/failures.ts';
import type { Order } from '../contracts/messages.ts';
import type { Plan, Stage } from '../contracts/plan.ts';
import type { DeskState, Progress } from '../contracts/progress.ts';
import { refuseApproval } from './approvals.ts';
import { currentStage, expectedStage, pastNoReturn } from './progress.ts';

/** Why an order is not taken, and which ones would be. */
export interface Refusal {
  readonly code: FailureCode;
  readonly detail: string;
  readonly possible: readonly OrderName[];
}

/** The orders that would be taken now, in the order of the catalogue. */
export function possibleOrders(plan: Plan, progress: Progress, desk: DeskState): readonly OrderName[] {
  if (progress.outcome !== null) return [];
  const scene = { plan, progress, desk, stage: currentStage(plan, progress) };
  return orderNames.filter((name) => isPossible[name](scene));
}

/**
 * Says why an order is not taken, or null when it is. `author` is who started the deployment.
 *
 * The order names the stage at which its sender believes the deployment to be: one that arrives late is refused and
 * not applied to the next stage.
 */
export function refuseOrder(
  plan: Plan,
  progress: Progress,
  desk: DeskState,
  order: Order,
  author: string,
): Refusal | null {
  const possible = possibleOrders(plan, progress, desk);
  const refusal =
    invalid(order) ??
    repeated(desk, order) ??
    stale(plan, progress, order) ??
    impossible(plan, progress, order, possible) ??
    unbound(plan, progress, order, author);
  return refusal === null ? null : { ...refusal, possible };
}

type Reason = Omit<Refusal, 'possible'> | null;

interface Scene {
  readonly plan: Plan;
  readonly progress: Progress;
  readonly desk: DeskState;
  readonly stage: Stage | null;
}

const goesForward = ({ progress, desk }: Scene): boolean => progress.direction === 'forward' && desk.pending === null;
const asksForApproval = (scene: Scene): boolean => goesForward(scene) && scene.progress.waitingFor?.what === 'approval';
/** Stages that wait for time, which people may make shorter or longer. */
const waits: ReadonlySet<StageKind> = new Set(['grace', 'keep', 'drain', 'shift']);
const inGrace = (scene: Scene): boolean => goesForward(scene) && scene.stage !== null && waits.has(scene.stage.kind);
const mayTurn = ({ plan, progress, stage }: Scene): boolean =>
  progress.direction === 'forward' && stage !== null && !pastNoReturn(plan, progress);

const isPossible: Readonly<Record<OrderName, (scene: Scene) => boolean>> = {
  pause: (scene) => goesForward(scene) && !scene.desk.paused,
  resume: (scene) => goesForward(scene) && scene.desk.paused,
  approve: asksForApproval,
  reject: asksForApproval,
  // An abort overrules a rollback that waits for its turn to end.
  abort: (scene) => mayTurn(scene) && (scene.desk.pending === null || scene.desk.pending.order === 'rollback'),
  rollback: (scene) => mayTurn(scene) && scene.desk.pending === null,
  retry: ({ progress, desk }) => progress.parked !== null && desk.pending === null,
  skip: (scene) => inGrace(scene) && scene.progress.parked === null && scene.progress.deadline !== null,
  extend: (scene) => inGrace(scene) && scene.progress.deadline !== null,
  setRate: (scene) =>
    goesForward(scene) && scene.stage !== null && ['preflight', 'expand', 'backfill'].includes(scene.stage.kind),
};

function invalid(order: Order): Reason {
  const lacks = lacking(order);
  return lacks === null ? null : { code: 'ORDER_INVALID', detail: lacks };
}

function lacking(order: Order): string | null {
  if (order.actor.name.trim() === '') return 'the order lacks its actor';
  if (order.reason.trim() === '') return 'the order lacks its reason: it goes into the ledger';
  if (order.stage.trim() === '') return 'the order lacks the stage that it expects';
  if (order.order === 'extend' && !(order.byMs > 0)) return 'byMs must be a number of milliseconds above 0';
  if (order.order === 'setRate' && !isRate(order.rowsPerSecond)) {
    return 'rowsPerSecond must be a number above 0, or null for no bound';
  }
  return null;
}

const isRate = (rate: number | null): boolean => rate === null || (rate > 0 && Number.isFinite(rate));

function repeated({ takenIds, pending, paused }: DeskState, { order, id }: Order): Reason {
  if (id !== '' && takenIds.includes(id)) return { code: 'ORDER_REPEATED', detail: `order ${id} was taken already` };
  if (order === 'pause' && paused) return { code: 'ORDER_REPEATED', detail: 'the deployment is paused already' };
  if (pending?.order === order) return { code: 'ORDER_REPEATED', detail: `${order} was ordered already` };
  return null;
}

function stale(plan: Plan, progress: Progress, order: Order): Reason {
  const stage = expectedStage(plan, progress);
  if (stage === null || order.stage === stage) return null;
  return { code: 'ORDER_STALE', detail: `the order expects stage ${order.stage}; the deployment is at ${stage}` };
}

function impossible(plan: Plan, progress: Progress, { order }: Order, possible: readonly OrderName[]): Reason {
  if (possible.includes(order)) return null;
  const would = possible.length === 0 ? 'no order is possible' : `possible: ${possible.join(', ')}`;
  return { code: 'ORDER_IMPOSSIBLE', detail: `${order} is not possible ${where(plan, progress)}; ${would}` };
}

function where(plan: Plan, progress: Progress): string {
  if (progress.outcome !== null) return `after the end (${progress.outcome.phase})`;
  const stage = expectedStage(plan, progress) ?? 'the end';
  if (progress.direction === 'back') return `while ${stage} is being taken back`;
  return pastNoReturn(plan, progress) ? `past the point of no return, in ${stage}` : `now, in ${stage}`;
}

function unbound(plan: Plan, progress: Progress, order: Order, author: string): Reason {
  const stage = currentStage(plan, progress);
  if (stage === null || (order.order !== 'approve' && order.order !== 'skip')) return null;
  return refuseApproval(plan, progress, stage, order, author);
}
