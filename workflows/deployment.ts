import {
  CancellationScope,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  setHandler,
} from '@temporalio/workflow';
import { knownQuery, statusQuery, type DeploymentInput, type Known, type Order } from '../contracts/messages.ts';
import type { Outcome, Status } from '../contracts/progress.ts';
import { expectedStage } from '../decisions/progress.ts';
import { openDoor, rejected } from './admission.ts';
import { openDesk, type OpenDesk } from './desk.ts';
import { openDisplay } from './display.ts';
import { Run } from './run.ts';
import { turn } from './turn.ts';

/** How long a hand-over waits for the ledger and for handlers before it carries what is left, or is put off; ms. */
const patience = 10_000;

/**
 * Carries one deployment through its plan, turn by turn, and takes back every stage it began if people order it or the
 * plan says so.
 *
 * The plan is an argument and is never recomputed: a deployment lives for weeks, and a plan derived here would change
 * under it on the day somebody edits a strategy.
 */
export async function deployment(input: DeploymentInput): Promise<Outcome> {
  const run = new Run(input);
  const desk = openDesk(run);
  const door = openDoor(run);
  setHandler(defineQuery<Status>(statusQuery), () => run.status(), { description: 'Where the deployment is' });
  setHandler(defineQuery<Known>(knownQuery), () => run.known(), { description: 'What a lost ledger is rebuilt from' });
  void abortWhenCancelled(run, desk);
  return CancellationScope.nonCancellable(() => live(run, door));
}

async function live(run: Run, door: ReturnType<typeof openDoor>): Promise<Outcome> {
  const rejection = await door.admit();
  if (rejection !== null) {
    await condition(allHandlersFinished);
    throw rejected(rejection);
  }
  void run.clerk.serve(openDisplay(run));
  while (run.progress.outcome === null) {
    await turn(run);
    if (run.isLong) await handOver(run);
  }
  run.clerk.flush();
  await condition(() => run.clerk.drained && allHandlersFinished());
  return run.progress.outcome;
}

/** Hands over to a new run with a short history. An order that was taken must be carried out first, or it is lost. */
async function handOver(run: Run): Promise<void> {
  run.clerk.flush();
  const settled = (): boolean => run.clerk.drained && allHandlersFinished();
  await condition(() => settled() || run.pending !== null, patience, { summary: 'hand over to a new run' });
  const over = run.progress.outcome !== null || run.pending !== null;
  if (over || !allHandlersFinished()) return;
  await continueAsNew<typeof deployment>({ ...run.input, carried: run.carried() });
}

/** Temporal's own cancel is an abort: nothing dies in the middle. Past the point of no return it is refused like one. */
async function abortWhenCancelled(run: Run, desk: OpenDesk): Promise<void> {
  try {
    await condition(() => false);
  } catch {
    await CancellationScope.nonCancellable(() => desk.hear(cancelOrder(run)));
  }
}

const cancelOrder = (run: Run): Order => ({
  order: 'abort',
  actor: { name: 'temporal', role: 'operator', groups: [], via: 'temporal' },
  reason: 'the workflow was cancelled in Temporal',
  stage: expectedStage(run.plan, run.progress) ?? '',
  id: '',
});
