import type { ShiftStage } from '../../contracts/plan.ts';
import { waitUntil } from '../../decisions/progress.ts';
import { anew, inPlace, isContended, moving, repaired, restored } from '../../decisions/traffic.ts';
import { scaleWorkload } from '../activities.ts';
import type { Run } from '../run.ts';
import { guard } from './guard.ts';
import { untilReady } from './pods.ts';
import { heldStill } from './held-still.ts';
import { afterBack, beforeBack, beforeSwitch } from './queries.ts';
import { route, routeBack, seenAt } from './route.ts';
import { again, park, promote, type StageRunner, type Turn } from './stage.ts';
import { watch } from './watch.ts';

/**
 * Another share for the candidate. It is ready for it before; the share is done when the route says so and the traffic
 * is seen there; then it is watched for as long as the plan says.
 */
export const shift: StageRunner<'shift'> = {
  prepare: ({ holds, name }, run) => (holds === undefined ? Promise.resolve(null) : heldStill(holds, name, run)),
  async perform(stage, run) {
    const held = await guard(stage, run);
    if (held !== null) return held;
    if (run.progress.deadline !== null) return watch(stage, run);
    return (
      (await ready(stage, run)) ?? (await beforeSwitch(stage, run)) ?? (await move(stage, run)) ?? opened(stage, run)
    );
  },
  async undo(stage, run) {
    await beforeBack(stage, run);
    await routeBack(stage, run);
    await afterBack(stage, run);
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
    if (!isContended(run.progress)) return again;
    run.update(anew(run.progress));
    return park('ROUTE_DRIFTED', `${state.because}, and not ${stage.weight} %`);
  }
  const fault = await seenAt(stage, stage.weight, run, () => run.givesWay);
  if (run.givesWay) return again;
  return fault === null ? null : park('TRAFFIC_ELSEWHERE', `${fault}, and the route says ${stage.weight} %`);
}

/** The share is in place: from here on its time runs. */
function opened(stage: ShiftStage, run: Run): Turn {
  const words = `${stage.weight} % on the candidate${seenWords(run)}`;
  const now = Date.now();
  const seen = run.progress.traffic?.seen ?? null;
  run.note('reading', words, { name: 'weight', value: stage.weight, unit: '%', seen, at: now });
  const forMs = run.progress.fallback?.forMs ?? stage.forMs;
  run.update({ ...restored(inPlace(run.progress, now)), verdict: null });
  if (forMs === 0 && stage.gate === null && stage.dependencies === undefined) return promote(words);
  run.update(waitUntil(run.progress, now + forMs));
  return again;
}

function seenWords({ progress: { traffic } }: Run): string {
  const seen = traffic?.seen ?? null;
  return seen === null ? '' : `, ${(seen * 100).toFixed(1)} % of ${traffic?.requests ?? 0} requests seen there`;
}
