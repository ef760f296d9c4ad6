import { sleep } from '@temporalio/workflow';
import type { ShiftStage } from '../../contracts/plan.ts';
import type { Coordinator, FollowUps, QueryCount, RunningQueries, RunningWay } from '../../contracts/running.ts';
import { counted, isOverdue, notWaited, queryWords, wasCalled, withCall } from '../../decisions/running.ts';
import { dropFollowUps, followQueries, keepFollowUps, traceFollowUps } from '../activities.ts';
import { failureOf } from '../failure-of.ts';
import type { Run } from '../run.ts';
import { unless } from '../unless.ts';
import { notUndone } from './not-undone.ts';
import { looksOf } from './route.ts';
import { again, park, type Turn } from './stage.ts';

/** How long one slice of counting takes, ms: as often the status says how many run. */
const sliceMs = 10_000;
/** The longest one on the way back, which hands over to no new run; the first ones are shorter, ms. */
const backSliceMs = { first: 5_000, longest: 60_000 };
/** After so many counts on the way back it is no hiccup that a side can't be seen. */
const blindCounts = 2;
/** How often the way of follow-up requests is tried on the way back: what stands in the route there is there already. */
const triesBack = 3;

/** What has to be so before everything is switched; null: it is. */
export async function beforeSwitch(stage: ShiftStage, run: Run): Promise<Turn | null> {
  const { running } = stage;
  // the traffic has moved already: who asks now would count what may go on
  if (running === undefined || run.progress.traffic?.weight === stage.weight) return null;
  return before[running.way](stage, running, run);
}

type Before = (stage: ShiftStage, running: RunningQueries, run: Run) => Promise<Turn | null>;

const before: Readonly<Record<RunningWay, Before>> = {
  'finish-on-old': async (stage, { followUps }, run) => {
    if (followUps === null) return null;
    const { name } = stage;
    await keepFollowUps(`${name}: follow-up requests stay where their query is`, {
      site: run.effect(),
      followUps,
      all: true,
    });
    const fault = await traced(stage, followUps, run, looksOf(stage).most);
    if (run.givesWay) return again;
    return fault === null ? null : park('TRAFFIC_ELSEWHERE', fault);
  },
  wait: async ({ name }, { old, timeoutMs }, run) => {
    const count = await waited(name, old, timeoutMs, run);
    // an order came first: who resumes waits anew, and so does who tries again
    if (count === null || count.running === 0) {
      ended(run);
      return count === null ? again : null;
    }
    if (!isOverdue(run.progress, timeoutMs, Date.now())) return again;
    ended(run);
    return { next: 'fail', failure: { code: 'QUERIES_RUNNING', detail: queryWords(old.name, count) } };
  },
  accept: async ({ name }, { old }, run) => {
    const count = await followQueries(`${name}: what runs on ${old.name}?`, { coordinator: old, sliceMs: 0 });
    run.note('finding', `${name}: ${queryWords(old.name, count)}; that they fail was accepted`, {
      queries: count.running,
    });
    return null;
  },
};

const ended = (run: Run): void => run.update(notWaited(run.progress));

/** Counts for a slice of time, at the most as long as is waited for; null: an order came first. */
export async function waited(
  stage: string,
  coordinator: Coordinator,
  timeoutMs: number,
  run: Run,
  changed: () => boolean = () => run.givesWay,
): Promise<QueryCount | null> {
  const known = run.progress.running ?? null;
  const since = known?.since ?? Date.now();
  // the first count is there at once
  const left = known === null ? 0 : Math.max(0, since + timeoutMs - Date.now());
  const count = await unless(changed, () =>
    followQueries(`${stage}: what runs on ${coordinator.name}?`, { coordinator, sliceMs: Math.min(sliceMs, left) }),
  );
  if (count === null) return null;
  if (known === null) told(stage, coordinator, count, run);
  run.update(counted(run.progress, coordinator.name, count, since, Date.now()));
  return count;
}

/** In the ledger once, when there is something to wait for. */
function told(stage: string, { name }: Coordinator, count: QueryCount, run: Run): void {
  if (count.running === 0) return;
  run.note('waiting', `${stage}: ${queryWords(name, count)}`, { what: stage, queries: count.running });
}

/** Before the traffic goes home: what began on the new side is to finish there. That it can't be is no reason to stay. */
export async function beforeBack(stage: ShiftStage, run: Run): Promise<void> {
  const { running, name } = stage;
  if (running === undefined) return;
  const { followUps } = running;
  if (!wasCalled(run.progress)) run.update(notWaited(run.progress));
  if (followUps === null || run.progress.traffic === undefined) return;
  const fault = await kept(stage, followUps, run);
  if (fault !== null) run.note('finding', `${name}: queries of the new side may fail: ${fault}`);
}

async function kept(stage: ShiftStage, followUps: FollowUps, run: Run): Promise<string | null> {
  try {
    const { silent } = await keepFollowUps(`${stage.name}: follow-up requests stay where their query is`, {
      site: run.effect(),
      followUps,
      all: false,
    });
    if (silent.length > 0) return `Trino of ${silent.join(' and ')} does not say who it is`;
    return await traced(stage, followUps, run, triesBack);
  } catch (error) {
    const failure = failureOf(error);
    if (failure === null) throw error;
    return `${failure.code} ${failure.detail}`;
  }
}

/** Tries the way of follow-up requests until it is right; what is wrong when it is not, or null. */
async function traced(stage: ShiftStage, followUps: FollowUps, run: Run, most: number): Promise<string | null> {
  for (let tried = 1; ; tried++) {
    const fault = await traceFollowUps(`${stage.name}: where do follow-up requests go?`, { followUps });
    if (fault === null || tried === most || (run.progress.direction === 'forward' && run.givesWay)) return fault;
    await sleep(looksOf(stage).everyMs, { summary: 'the route is not followed yet' });
  }
}

/** After it: the new side stays until what began there has ended, then nobody tells follow-up requests apart any more. */
export async function afterBack({ running, name }: ShiftStage, run: Run): Promise<void> {
  const followUps = running?.followUps ?? null;
  if (running === undefined || followUps === null) return;
  const left = followUps.sides.find(({ coordinator }) => coordinator.name !== running.old.name);
  if (left !== undefined) await emptied(name, left.coordinator, running.timeoutMs, run);
  await dropFollowUps(`${name}: follow-up requests go like all others`, { site: run.effect(), followUps });
  run.update(notWaited(run.progress));
}

async function emptied(name: string, coordinator: Coordinator, timeoutMs: number, run: Run): Promise<void> {
  // once: who then orders a retry has looked, and knows better
  if (wasCalled(run.progress)) return;
  const since = Date.now();
  for (let counts = 0; ; counts++) {
    const left = Math.max(0, since + timeoutMs - Date.now());
    const slice = Math.min(backSliceMs.first * counts, backSliceMs.longest, left);
    const count = await followQueries(`${name}: what runs on ${coordinator.name}?`, { coordinator, sliceMs: slice });
    run.update(counted(run.progress, coordinator.name, count, since, Date.now()));
    if (count.running === 0) return;
    run.clerk.flush();
    // whom a side gives no answer for so long has lost the query anyway: a person looks, and the traffic is home
    const isBlind = count.running === null && counts >= blindCounts;
    const isOver = isBlind || Date.now() - since >= timeoutMs;
    if (!isOver) continue;
    run.update(withCall(run.progress));
    throw notUndone('QUERIES_RUNNING', queryWords(coordinator.name, count));
  }
}
