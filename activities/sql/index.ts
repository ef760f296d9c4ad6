import type { Activities } from '../../contracts/activities.ts';
import { alter, alterLong } from './alter.ts';
import { backfill } from './backfill.ts';
import { beating } from './beating.ts';
import { checkRows } from './check-rows.ts';
import { claim, holdColumnsOnly, release } from './claim.ts';
import { look } from './look.ts';
import type { FindMetrics } from '../metrics/index.ts';
import type { PacerContext } from './pacer.ts';
import type { TellProgress } from './progress-teller.ts';
import type { TargetConnection } from './session.ts';
import { raiseFence, steer } from './steer.ts';

/** What the SQL activities are given. `target` throws TARGET_UNKNOWN for a name that is not in the configuration. */
export interface SqlDependencies {
  readonly target: (name: string) => TargetConnection;
  readonly tell: TellProgress;
  /** Metrics sources of the configuration; absent: there are none. */
  readonly metrics?: FindMetrics;
}

/** The activities of this folder. */
export type SqlActivities = Pick<
  Activities,
  | 'look'
  | 'claim'
  | 'holdColumnsOnly'
  | 'release'
  | 'raiseFence'
  | 'steer'
  | 'alter'
  | 'alterLong'
  | 'backfill'
  | 'checkRows'
>;

/** Everything that is done to a SQL target. */
export const createSqlActivities = ({ target, tell, metrics = () => null }: SqlDependencies): SqlActivities => {
  const pacing: PacerContext = { metrics, memories: new Map() };
  return {
    look: (input) => look(target(input.target), input),
    claim: ({ site, plan }) => claim(target(site.target), site, plan),
    holdColumnsOnly: ({ site, columnsOnly }) => holdColumnsOnly(target(site.target), site, columnsOnly),
    release: ({ site }) => release(target(site.target), site),
    raiseFence: ({ site }) => raiseFence(target(site.target), site),
    steer: ({ site, paused, rate }) => steer(target(site.target), site, paused, rate),
    alter: (input) => alter(target(input.site.target), input, tell),
    alterLong: ({ site, statements }) => alterLong(target(site.target), site, statements),
    backfill: (input) => beating(() => backfill(target(input.site.target), input, tell, pacing)),
    checkRows: (input) => beating(() => checkRows(target(input.site.target), input, tell)),
  };
};
