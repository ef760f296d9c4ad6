import { ApplicationFailure, CancellationScope, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { orderNames, type OrderName } from '../contracts/catalog.ts';
import type { JsonObject } from '../contracts/json.ts';
import { orderDescriptions, type Order } from '../contracts/messages.ts';
import type { DeskState, Status } from '../contracts/progress.ts';
import { possibleOrders, refuseOrder, type Refusal } from '../decisions/orders.ts';
import { readOrder } from '../decisions/read-order.ts';
import { checkApproval } from './activities.ts';
import { failureOf } from './failure-of.ts';
import type { Run } from './run.ts';

/**
 * Opens the operator's desk: each order as an update, which answers, and as a signal of the same name, for whoever
 * cannot send updates. Both are judged by the same pure function; the loop notices what they leave on the desk.
 */
export function openDesk(run: Run): OpenDesk {
  const desk = new Desk(run);
  for (const name of orderNames) {
    const description = orderDescriptions[name];
    setHandler(defineUpdate<Status, [unknown]>(name), (value) => desk.answer(readOrder(name, value)), {
      description,
      // Synchronous on purpose: the SDK does not await a validator, so an async one accepts everything.
      validator: (value) => desk.validate(readOrder(name, value)),
    });
    setHandler(defineSignal<[unknown]>(name), (value) => desk.hear(readOrder(name, value)), { description });
  }
  return desk;
}

/** The desk as the loop sees it. */
export interface OpenDesk {
  /** Takes an order whose sender cannot be answered; refused, it changes nothing and stands in the ledger. */
  hear(order: Order): Promise<void>;
}

class Desk implements OpenDesk {
  readonly #run: Run;
  /** Ids of orders whose signature is being checked; handlers end before a hand-over, so nobody carries them. */
  readonly #checking = new Set<string>();

  constructor(run: Run) {
    this.#run = run;
  }

  validate(order: Order): void {
    const refusal = this.#refuse(order);
    if (refusal !== null) throw failed(refusal);
  }

  async answer(order: Order): Promise<Status> {
    const refusal = await this.#take(order);
    if (refusal !== null) throw failed(refusal);
    return this.#run.status();
  }

  async hear(order: Order): Promise<void> {
    const refusal = this.#refuse(order);
    if (refusal === null) await this.#take(order);
    else this.#note('order-refused', order, refusal);
  }

  /** Takes an order that was not refused; an approval must first prove to come from the API. */
  async #take(order: Order): Promise<Refusal | null> {
    if (order.order === 'approve' || order.order === 'skip') {
      this.#checking.add(order.id);
      const because = await CancellationScope.nonCancellable(() => this.#notSigned(order));
      this.#checking.delete(order.id);
      // While the signature was checked the deployment went on: what was possible then may not be possible now.
      const refusal = because === null ? this.#refuse(order) : this.#notCounted(because);
      if (refusal !== null) {
        this.#note('approval-refused', order, refusal);
        return refusal;
      }
    }
    this.#run.note(order.order === 'approve' ? 'approval' : 'order', text(order), facts(order));
    this.#run.take(order);
    return null;
  }

  async #notSigned(order: Extract<Order, { order: 'approve' | 'skip' }>): Promise<string | null> {
    const { order: name, ...approval } = order;
    const input = { deployment: this.#run.input.id, order: name, approval };
    try {
      const { counts, because } = await checkApproval(`${name} by ${order.actor.name}`, input);
      return counts ? null : because;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === null) throw error;
      return `its signature could not be checked (${failure.code}); order it again`;
    }
  }

  #refuse(order: Order): Refusal | null {
    const { plan, progress, desk, input } = this.#run;
    const known: DeskState = { ...desk, takenIds: [...desk.takenIds, ...this.#checking] };
    return refuseOrder(plan, progress, known, order, input.startedBy.name);
  }

  #notCounted(detail: string): Refusal {
    const { plan, progress, desk } = this.#run;
    return { code: 'APPROVAL_NOT_COUNTED', detail, possible: possibleOrders(plan, progress, desk) };
  }

  #note(kind: 'order-refused' | 'approval-refused', order: Order, { code, detail, possible }: Refusal): void {
    const data = { ...facts(order), code, detail, possible: [...possible] };
    this.#run.note(kind, `${order.order} refused: ${detail}`, data);
  }
}

const failed = ({ code, detail, possible }: Refusal): ApplicationFailure =>
  ApplicationFailure.create({ message: detail, type: code, nonRetryable: true, details: [{ possible }] });

const verbs: Readonly<Record<OrderName, string>> = {
  pause: 'paused',
  resume: 'resumed',
  approve: 'approved',
  reject: 'rejected',
  abort: 'aborted',
  rollback: 'rolled back',
  retry: 'retried',
  skip: 'grace ended early',
  extend: 'grace made longer',
  setRate: 'rate set',
};

const text = ({ order, actor, reason }: Order): string => `${verbs[order]} by ${actor.name}: ${reason}`;

/** What the ledger keeps of an order: everything but the signature. */
function facts(order: Order): JsonObject {
  const { actor, reason, stage, id } = order;
  const common = { order: order.order, actor: { ...actor, groups: [...actor.groups] }, reason, expected: stage, id };
  if ('planHash' in order) return { ...common, planHash: order.planHash, evidenceHash: order.evidenceHash };
  if (order.order === 'extend') return { ...common, byMs: order.byMs };
  return order.order === 'setRate' ? { ...common, rowsPerSecond: order.rowsPerSecond } : common;
}
