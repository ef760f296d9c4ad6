import type { ApplyAnswer, ApplyResult } from '../contracts/api.ts';
import type { Actor } from '../contracts/messages.ts';
import { decide, later, resultOf, type Decision, type Item } from './apply-decision.ts';
import type { ApiDependencies } from './deps.ts';
import { placesOf, readSpec } from './make-plan.ts';
import { Refusal, requestInvalid } from './problems.ts';
import { refusedTogether, under } from './refused-together.ts';
import { fulfil, type Wish } from './start-deployment.ts';

/** Somebody's request that these specs be carried out, as far as they have not been. */
export interface ApplyRequest {
  readonly specs: readonly unknown[];
  /** Also what was rolled back or refused before, though its spec has not changed. */
  readonly again: boolean;
  /** Says what would be done and starts nothing. */
  readonly dryRun: boolean;
  readonly actor: Actor;
}

/**
 * Starts what is new, in order, and does nothing for what is unchanged. Everything is read, compared and planned before
 * anything is started; whatever is against any of the specs is answered together, and then nothing is started. A table
 * that is taken is against nothing: its spec is left for later.
 */
export async function applySpecs(deps: ApiDependencies, request: ApplyRequest): Promise<ApplyAnswer> {
  const decisions = await decideAll(deps, request);
  const refusals = decisions.flatMap((decision) => (decision.kind === 'refused' ? [decision.refusal] : []));
  if (refusals.length > 0) throw refusedTogether(refusals, request.specs.length);

  const results: ApplyResult[] = [];
  for (const decision of decisions) {
    if (decision.kind === 'none') results.push(decision.result);
    if (decision.kind === 'start') results.push(await begin(deps, decision, request.dryRun, results));
  }
  return { results };
}

async function decideAll(deps: ApiDependencies, { specs, actor, again }: ApplyRequest): Promise<readonly Decision[]> {
  if (specs.length === 0) throw requestInvalid([{ pointer: '/specs', detail: 'holds no spec' }]);
  const taken = new Map<string, string>();
  const decisions: Decision[] = [];
  for (const one of withoutDoubles(specs.map((body, index) => read(deps, body, `/specs/${index}`)))) {
    if (one instanceof Refusal) decisions.push({ kind: 'refused', refusal: one });
    else {
      const decision = await decide(deps, one, { actor, again, taken });
      decisions.push(decision);
      if (waitsOrStarts(decision)) for (const place of placesOf(one)) taken.set(place, one.spec.name);
    }
  }
  return decisions;
}

/** Whether whatever else there is for the same table has to come after it. */
const waitsOrStarts = (decision: Decision): boolean =>
  decision.kind === 'start' || (decision.kind === 'none' && decision.result.action === 'later');

/** A spec, or all that is wrong with it. */
function read(deps: ApiDependencies, body: unknown, pointer: string): Item | Refusal {
  try {
    return { ...readSpec(deps, body), pointer };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return under(pointer, error);
  }
}

/** A name that is there twice is wrong in both places. */
function withoutDoubles(all: readonly (Item | Refusal)[]): readonly (Item | Refusal)[] {
  const items = all.filter((one): one is Item => !(one instanceof Refusal));
  return all.map((one) => {
    if (one instanceof Refusal) return one;
    const { name } = one.spec;
    const double = items.find((other) => other !== one && other.spec.name === name);
    if (double === undefined) return one;
    const problem = {
      pointer: `${one.pointer}/name`,
      detail: `is ${name}, as in ${double.pointer}: one name, one spec`,
    };
    return new Refusal('SPEC_INVALID', `the name ${name} is there twice; nothing was started`, { errors: [problem] });
  });
}

async function begin(
  deps: ApiDependencies,
  { wish, met }: { readonly wish: Wish; readonly met: string | null },
  dryRun: boolean,
  before: readonly ApplyResult[],
): Promise<ApplyResult> {
  const { name } = wish.spec;
  if (dryRun) return resultOf(name, met === null ? 'start' : 'unchanged', met);
  try {
    const { status, isOurs } = await fulfil(deps, wish);
    return resultOf(name, isOurs ? 'started' : 'unchanged', status.id, status.phase);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'TARGET_TAKEN') return later(wish.spec, error.facts.holder);
    throw stoppedAt(name, error, before);
  }
}

/** What was started before stays started: the same request again finds it and goes on. */
function stoppedAt(name: string, { code, detail, facts }: Refusal, before: readonly ApplyResult[]): Refusal {
  const started = before.filter(({ action }) => action === 'started').map(({ deployment }) => deployment);
  const already = started.length === 0 ? '' : `; started before it: ${started.join(', ')}`;
  return new Refusal(code, `${name}: ${detail}${already}; the same request may be sent again`, facts);
}
