import type { Activities, Site } from '../../contracts/activities.ts';
import type { TablePlan } from '../../contracts/plan.ts';
import { alter, alterLong } from './alter.ts';
import { buildIndex } from './build-index.ts';
import { backfill } from './backfill.ts';
import { beating } from './beating.ts';
import { checkRows } from './check-rows.ts';
import { claim, holdColumnsOnly, release } from './claim.ts';
import { claimed } from './claimed.ts';
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
  | 'holdColumnsOnly'
  | 'release'
  | 'raiseFence'
  | 'steer'
  | 'alter'
  | 'alterLong'
  | 'buildIndex'
  | 'backfill'
  | 'checkRows'
> & {
  readonly claim: (input: { readonly site: Site; readonly plan: TablePlan }) => ReturnType<Activities['claim']>;
};

/** Everything that is done to a SQL target. */
export function createSqlActivities({ target, tell, metrics = () => null }: SqlDependencies): SqlActivities {
  const pacing: PacerContext = { metrics, memories: new Map() };
  /** An effect in the site's target, under the deployment's claim. */
  const effect = <T>(site: Site, work: (at: TargetConnection) => Promise<T>): Promise<T> => {
    const at = target(site.target);
    return claimed(at, site, () => work(at));
  };
  return {
    look: (input) => look(target(input.target), input),
    claim: ({ site, plan }) => claim(target(site.target), site, plan),
    holdColumnsOnly: ({ site, columnsOnly }) => effect(site, (at) => holdColumnsOnly(at, site, columnsOnly)),
    release: ({ site }) => release(target(site.target), site),
    raiseFence: ({ site }) => effect(site, (at) => raiseFence(at, site)),
    steer: ({ site, paused, rate }) => effect(site, (at) => steer(at, site, paused, rate)),
    alter: (input) => effect(input.site, (at) => alter(at, input, tell)),
    alterLong: ({ site, statements }) => effect(site, (at) => alterLong(at, site, statements)),
    buildIndex: (input) => effect(input.site, (at) => buildIndex(at, input, tell)),
    backfill: (input) => effect(input.site, (at) => beating(() => backfill(at, input, tell, pacing))),
    checkRows: (input) => effect(input.site, (at) => beating(() => checkRows(at, input, tell))),
  };
}
