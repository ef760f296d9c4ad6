import type { OrderName } from '../contracts/catalog.ts';
import type { Order } from '../contracts/messages.ts';
import type { Plan } from '../contracts/plan.ts';
import type { DeskState, Progress } from '../contracts/progress.ts';
import { retry, waitUntil } from './progress.ts';

/** What an order can change. */
export interface Standing {
  readonly plan: Plan;
  readonly progress: Progress;
  readonly desk: DeskState;
}

/** What it has changed. */
export type Taken = Omit<Standing, 'plan'>;

/** The desk on which nothing lies yet. */
export const emptyDesk: DeskState = { paused: false, pausedBy: null, pending: null, takenIds: [] };

/** Takes an order that was not refused. `now` in epoch ms. */
export function takeOrder(standing: Standing, order: Order, now: number): Taken {
  // TypeScript cannot see that the effect found under an order's own name takes that order.
  const effect = effects[order.order] as (standing: Standing, order: Order, now: number) => Taken;
  const { progress, desk } = effect(standing, order, now);
  return { progress, desk: { ...desk, takenIds: remembered(desk.takenIds, order.id) } };
}

type Effect<N extends OrderName> = (
  standing: Standing,
  order: Extract<Order, { readonly order: N }>,
  now: number,
) => Taken;

const turn = ({ progress, desk }: Standing, order: Order): Taken => ({
  progress,
  desk: { ...desk, pending: order },
});

const effects: { readonly [N in OrderName]: Effect<N> } = {
  pause: ({ progress, desk }, { actor }) => ({ progress, desk: { ...desk, paused: true, pausedBy: actor.name } }),
  resume: ({ progress, desk }) => ({ progress, desk: { ...desk, paused: false, pausedBy: null } }),
  approve: ({ progress, desk }, { stage, actor, reason, planHash, evidenceHash }, at) => {
    const approval = { stage, actor, reason, planHash, evidenceHash, at };
    return { progress: { ...progress, approvals: [...progress.approvals, approval] }, desk };
  },
  reject: turn,
  abort: turn,
  rollback: turn,
  retry: ({ plan, progress, desk }) => ({ progress: retry(plan, progress), desk }),
  skip: ({ progress, desk }, { actor, reason }, now) => ({
    progress: {
      ...waitUntil(progress, now),
      stages: progress.stages.map((stage, index) =>
        index === progress.at ? { ...stage, note: `ended early by ${actor.name}: ${reason}` } : stage,
      ),
    },
    desk,
  }),
  extend: ({ progress, desk }, { byMs }, now) => ({
    progress: waitUntil(progress, (progress.deadline ?? now) + byMs),
    desk,
  }),
  setRate: ({ progress, desk }, { rowsPerSecond }) => ({ progress, desk: { ...desk, rate: rowsPerSecond } }),
};

/** How many ids are remembered: enough for a person's or a script's repetitions, little enough to be carried. */
const remembers = 200;

const remembered = (ids: readonly string[], id: string): readonly string[] =>
  id === '' ? ids : [...ids, id].slice(-remembers);
