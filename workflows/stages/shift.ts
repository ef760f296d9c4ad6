import { condition } from '@temporalio/workflow';
import type { ShiftStage } from '../../contracts/plan.ts';
import type { RouteState } from '../../contracts/route.ts';
import { agrees } from '../../decisions/agrees.ts';
import { waitUntil } from '../../decisions/progress.ts';
import { counted, inPlace, isContended, moving, repaired, routed } from '../../decisions/traffic.ts';
import { observeTraffic, scaleWorkload, setWeight } from '../activities.ts';
import type { Run } from '../run.ts';
import { untilReady } from './pods.ts';
import { again, park, promote, type StageRunner, type Turn } from './stage.ts';
import { watch } from './watch.ts';

/** How often the traffic may be seen elsewhere than the route says, and how long to wait in between, ms. */
const mostLooks = 30;
const betweenMs = 1_000;

/**
 * Another share for the candidate. It is ready for it before; the share is done when the route says so and the traffic
 * is seen there; then it is watched for as long as the plan says.
 */
export const shift: StageRunner<'shift'> = {
  prepare: null,
  async perform(stage, run) {
    if (run.progress.deadline !== null) return watch(stage, run);
    return (await ready(stage, run)) ?? (await move(stage, run)) ?? opened(stage, run);
  },
  async undo(stage, run) {
    await route(stage, stage.back, run);
    const fault = await seenAt(stage, stage.back, run, () => false);
    if (fault !== null) run.note('finding', `${stage.name}: ${fault}`, { weight: stage.back });
  },
};

/** The candidate has as many pods as the share needs; null: it has. */
async function ready({ scale, name }: ShiftStage, run: Run): Promise<Turn | null> {
  if (scale === null) return null;
  const { workload, replicas } = scale;
  await scaleWorkload(`${name}: ${replicas} pods`, { site: run.effect(), workload, replicas });
  const status = await untilReady(workload, name, run);
  if (status === null) return again;
  if (status.done) return null;
  return { next: 'fail', failure: { code: 'ROLLOUT_STUCK', detail: `${workload.name}: ${status.because}` } };
}

/** The route says it, and the traffic is there; null: both. */
async function move(stage: ShiftStage, run: Run): Promise<Turn | null> {
  if (run.progress.traffic?.since !== null) run.update(moving(run.progress));
  const state = await route(stage, stage.weight, run);
  if (state.weight !== stage.weight) {
    run.update(repaired(run.progress));
    return isContended(run.progress) ? park('ROUTE_DRIFTED', state.because) : again;
  }
  const fault = await seenAt(stage, stage.weight, run, () => run.givesWay);
  if (run.givesWay) return again;
  return fault === null ? null : park('TRAFFIC_ELSEWHERE', `${fault}, and the route says ${stage.weight} %`);
}

/** Sets a weight and keeps what was read back. */
export async function route({ route: to, name }: ShiftStage, weight: number, run: Run): Promise<RouteState> {
  const state = await setWeight(`${name}: ${weight} %`, { site: run.effect(), route: to, weight });
  run.update(routed(run.progress, state, Date.now()));
  return state;
}

/** Looks where the traffic goes until it is where it should be; what was seen when it is not, or null. */
async function seenAt(
  { seen, name }: ShiftStage,
  weight: number,
  run: Run,
  isOver: () => boolean,
): Promise<string | null> {
  if (seen === null) return null;
  for (let looks = 1; ; looks++) {
    const share = await observeTraffic(`${name}: where do requests go?`, { seen });
    run.update(counted(run.progress, share, Date.now()));
    const { holds, because } = agrees(weight, share);
    if (holds) return null;
    if (looks === mostLooks || isOver()) return because;
    await condition(isOver, betweenMs);
  }
}

/** The share is in place: from here on its time runs. */
function opened(stage: ShiftStage, run: Run): Turn {
  const words = `${stage.weight} % on the candidate${seenWords(run)}`;
  const now = Date.now();
  const seen = run.progress.traffic?.seen ?? null;
  run.note('reading', words, { name: 'weight', value: stage.weight, unit: '%', seen, at: now });
  run.update({ ...inPlace(run.progress, now), verdict: null });
  if (stage.forMs === 0 && stage.gate === null) return promote(words);
  run.update(waitUntil(run.progress, now + stage.forMs));
  return again;
}

function seenWords({ progress: { traffic } }: Run): string {
  const seen = traffic?.seen ?? null;
  return seen === null ? '' : `, ${(seen * 100).toFixed(1)} % of ${traffic?.requests ?? 0} requests seen there`;
}
