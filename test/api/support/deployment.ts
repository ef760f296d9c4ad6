import type { DeploymentEvent, LiveProgress } from '../../../contracts/events.ts';
import type { Plan } from '../../../contracts/plan.ts';
import type { Status } from '../../../contracts/progress.ts';
import type { LedgerWriter } from '../../../ledger/index.ts';
import { testPlan } from '../../support/plans.ts';
import { statusOf } from './fake-engine.ts';

/** A deployment whose workflow is the test itself. */
export interface Told {
  readonly id: string;
  readonly plan: Plan;
  readonly status: Status;
  /** Records one event, and with it the status as it is then. */
  tell(
    event: Partial<DeploymentEvent> & Pick<DeploymentEvent, 'seq' | 'kind'>,
    status?: Partial<Status>,
  ): Promise<void>;
  /** Says something of itself. */
  live(rows: number, at: number): Promise<void>;
}

/** Lets a test be the workflow of one deployment. */
export function deploymentOf(writer: LedgerWriter, id: string, startedAt = 1_000_000): Told {
  const plan = testPlan({ name: id.replace(/-[0-9a-f]{8}$/, '') });
  const startedBy = { name: 'ann', role: 'operator', groups: [], via: 'api' } as const;
  const status = { ...statusOf({ id, plan, startedBy, startedAt }), stage: 'backfill' };
  return {
    id,
    plan,
    status,
    tell: (event, over = {}) =>
      writer.record({
        id,
        plan,
        status: { ...status, changedAt: startedAt + event.seq, ...over },
        events: [eventOf(event)],
      }),
    live: (rows, at) => writer.saveLive(liveOf(id, rows, at)),
  };
}

/** An event with whatever a test does not care about. */
export const eventOf = (event: Partial<DeploymentEvent> & Pick<DeploymentEvent, 'seq' | 'kind'>): DeploymentEvent => ({
  at: 2_000_000 + event.seq,
  stage: 'backfill',
  text: `event ${event.seq}`,
  data: {},
  ...event,
});

/** What a backfill says of itself. */
export const liveOf = (id: string, rows: number, at: number): LiveProgress => ({
  id,
  stage: 'backfill',
  rows,
  totalRows: 1_000,
  rate: 10.5,
  secondsToGo: 3,
  pace: 'full speed',
  at,
});
