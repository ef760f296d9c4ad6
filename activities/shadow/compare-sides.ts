import { cancelled, heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompareInput } from '../../contracts/activities.ts';
import type { ShadowFacts, ShadowRequest } from '../../contracts/shadow.ts';
import { failure } from '../failures.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { askSide } from './ask-side.ts';
import { rulesOf } from './compare-answers.ts';
import { readRequests } from './read-requests.ts';
import { Tally, type Compared } from './tally.ts';

/** Requests that are under way at the same time, at the most: a side that is slow is not asked more for that. */
const lanes = 16;

/** Asks both sides the next requests of a batch, from its begin again after its end, as quick as the plan says. */
export async function compareSides(cluster: () => Cluster, input: CompareInput): Promise<ShadowFacts> {
  const { stage, next, wanted } = input;
  const requests = await readRequests(cluster, stage.source, stage.harmless);
  const tally = new Tally(rulesOf(stage.compare));
  const ending = new AbortController();
  const begun = Date.now();
  const hasEnded = (): boolean => ending.signal.aborted;
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < wanted && Date.now() < begun + stage.sliceMs && !hasEnded()) {
      const place = sent++;
      await sleep(Math.max(0, begun + (1_000 * place) / stage.perSecond - Date.now()), undefined, { ref: false });
      if (hasEnded()) return;
      tally.add(await askBoth(requestAt(requests, next + place), input, ending.signal));
    }
  };
  const beat = setInterval(() => heartbeat(), 1_000);
  try {
    await Promise.race([Promise.all(Array.from({ length: lanes }, lane)), cancelled()]);
    return { ...tally.facts, requests: requests.length, next: (next + sent) % requests.length };
  } finally {
    ending.abort();
    clearInterval(beat);
  }
}

async function askBoth(
  request: ShadowRequest,
  { stage: { sides, noise, timeoutMs }, deployment }: CompareInput,
  ending: AbortSignal,
): Promise<Compared> {
  const ask = (address: string) =>
    askSide(address, request, deployment, AbortSignal.any([ending, AbortSignal.timeout(timeoutMs)]));
  const [stable, candidate, again] = await Promise.all([
    ask(sides.stable),
    ask(sides.candidate),
    noise ? ask(sides.stable) : null,
  ]);
  return { stable, candidate, again };
}

function requestAt(requests: readonly ShadowRequest[], place: number): ShadowRequest {
  const request = requests[place % requests.length];
  if (request === undefined) throw failure('INTERNAL', 'a shadow without requests');
  return request;
}
