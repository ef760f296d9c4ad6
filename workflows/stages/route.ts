import { condition, sleep } from '@temporalio/workflow';
import type { ShiftStage } from '../../contracts/plan.ts';
import type { RouteState } from '../../contracts/route.ts';
import { agrees } from '../../decisions/agrees.ts';
import { counted, isSeenElsewhere, mostRepairs, routed } from '../../decisions/traffic.ts';
import { observeTraffic, setWeight } from '../activities.ts';
import { failureOf } from '../failure-of.ts';
import type { Run } from '../run.ts';
import { notUndone } from './not-undone.ts';

/** Where a plan does not say how often to look where the traffic goes; ms. */
const usualLooks = { most: 30, everyMs: 1_000 };

/** How often it is looked where the traffic goes, and how long to wait in between, ms. */
export const looksOf = ({ looks = usualLooks }: ShiftStage): NonNullable<ShiftStage['looks']> => looks;

/** Sets a weight and keeps what was read back. */
export async function route({ route: to, name }: ShiftStage, weight: number, run: Run): Promise<RouteState> {
  const state = await setWeight(`${name}: ${weight} %`, { site: run.effect(), route: to, weight });
  run.update(routed(run.progress, state, Date.now()));
  return state;
}

/** Looks where the traffic goes until it is where it should be; what was seen when it is not, or null. */
export async function seenAt(
  { seen, name, looks: { most, everyMs } = usualLooks }: ShiftStage,
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
    if (looks === most || isOver()) return because;
    await condition(isOver, everyMs);
  }
}

/** Takes the share back. What it is taken from may be removed next: that nothing is sent there comes first. */
export async function routeBack(stage: ShiftStage, run: Run): Promise<void> {
  await routedBack(stage, run);
  const fault = await seenHome(stage, stage.back, run);
  if (fault === null) return;
  // once: who then orders a retry has looked, and knows better
  if (fault.hurts && run.progress.verdict?.decision !== 'hold') {
    run.update({ ...run.progress, verdict: { decision: 'hold', because: fault.because } });
    throw notUndone('TRAFFIC_ELSEWHERE', `${fault.because}, and the route says ${stage.back} %`);
  }
  run.note('finding', `${stage.name}: ${fault.because}`, { weight: stage.back });
}

/** Writes it until it is read back. */
async function routedBack(stage: ShiftStage, run: Run): Promise<void> {
  const { everyMs } = stage.looks ?? usualLooks;
  for (let tries = 1; ; tries++) {
    const { weight, because } = await route(stage, stage.back, run);
    if (weight === stage.back) return;
    if (tries === mostRepairs) throw notUndone('ROUTE_DRIFTED', `${because}, and not ${stage.back} %`);
    await sleep(everyMs, { summary: 'the route says something else' });
  }
}

/** What is seen of the traffic on its way home; that nobody can see it keeps nothing from going there. */
export async function seenHome(
  stage: ShiftStage,
  weight: number,
  run: Run,
): Promise<{ readonly because: string; readonly hurts: boolean } | null> {
  try {
    const because = await seenAt(stage, weight, run, () => (run.progress.traffic?.seen ?? null) === null);
    return because === null ? null : { because, hurts: isSeenElsewhere(run.progress, weight) };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === null) throw error;
    return { because: `nobody saw where requests go: ${failure.code} ${failure.detail}`, hurts: false };
  }
}
