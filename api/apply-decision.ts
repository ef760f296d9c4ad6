import { objectOf } from '../decisions/spec-object.ts';
import type { ApplyResult } from '../contracts/api.ts';
import type { Actor } from '../contracts/messages.ts';
import type { Plan } from '../contracts/plan.ts';
import { specHash } from '../decisions/plan-deployment.ts';
import type { NamedDeployment } from '../ledger/index.ts';
import { applyWish, specDiffers } from './apply-wish.ts';
import type { ApiDependencies } from './deps.ts';
import { makePlan, placesOf, type CheckedSpec } from './make-plan.ts';
import { Refusal } from './problems.ts';
import { under } from './refused-together.ts';
import { idOf, isAbandoned, type Wish } from './start-deployment.ts';

/** A spec of a request that has no mistakes. */
export interface Item extends CheckedSpec {
  /** Where it stands in the request. */
  readonly pointer: string;
}

/** What shall be done about a spec; nothing has been yet. */
export type Decision =
  | { readonly kind: 'none'; readonly result: ApplyResult }
  /** `met`: id of the deployment that somebody else is starting for the same spec; null: it is ours to start. */
  | { readonly kind: 'start'; readonly wish: Wish; readonly met: string | null }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What a decision depends on beside its spec. */
export interface Terms {
  readonly actor: Actor;
  readonly again: boolean;
  /** Name of the spec that comes first, by table. */
  readonly taken: ReadonlyMap<string, string>;
}

/** Compares a spec with the deployments of its name, and plans it when it is to be started. */
export async function decide(deps: ApiDependencies, item: Item, terms: Terms): Promise<Decision> {
  const { spec, pointer } = item;
  const named = await deps.reader.findNamed(spec.name);
  const [last] = named;
  const same = sameSpec(named, specHash(spec), terms.again);
  if (same !== null) return { kind: 'none', result: resultOf(spec.name, 'unchanged', same.id, same.phase) };
  if (last?.open === true) return { kind: 'refused', refusal: specDiffers(last, spec, pointer) };

  const wish = applyWish(item, terms.actor, last?.id ?? null, pointer);
  const first = placesOf(item)
    .map((place) => terms.taken.get(place))
    .find((name) => name !== undefined);
  const met = await meet(deps, wish);
  if (met !== null) return met;
  return first === undefined ? plan(deps, item, wish) : { kind: 'none', result: later(spec, first) };
}

/** The deployment that has this spec already: one under way, or else the last one. */
function sameSpec(named: readonly NamedDeployment[], hash: string, again: boolean): NamedDeployment | null {
  const [last] = named;
  const open = named.find((one) => one.open && one.specHash === hash);
  if (open !== undefined || last === undefined || last.open) return open ?? null;
  if (last.specHash !== hash) return null;
  return again && last.phase !== 'deployed' ? null : last;
}

/** What somebody else is starting under this name at this moment; null: nobody is. */
async function meet({ reader }: ApiDependencies, wish: Wish): Promise<Decision | null> {
  const kept = await reader.findStart(wish.keyScope, wish.keyHash, idOf(wish));
  if (kept === null || isAbandoned(kept)) return null;
  const refusal = kept.specHash === wish.specHash ? null : wish.refuseOther(kept);
  return refusal === null ? { kind: 'start', wish, met: kept.id } : { kind: 'refused', refusal };
}

async function plan(deps: ApiDependencies, item: Item, wish: Wish): Promise<Decision> {
  let made: Plan;
  try {
    made = await makePlan(deps, item);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // Somebody may have been quicker, and what was seen is that work.
    return (await meet(deps, wish)) ?? unplanned(item, error);
  }
  return { kind: 'start', wish: { ...wish, plan: made }, met: null };
}

/** What can't be planned is refused, waits for its table, or, when nobody could look, ends the whole request. */
function unplanned({ spec, pointer }: Item, error: Refusal): Decision {
  if (error.code === 'TARGET_TAKEN') return { kind: 'none', result: later(spec, error.facts.holder) };
  if (error.code === 'PLAN_REFUSED') return { kind: 'refused', refusal: under(pointer, error) };
  throw new Refusal(error.code, `${spec.name}: ${error.detail}; nothing was started`, error.facts);
}

/** What became of a spec. */
export const resultOf = (
  name: string,
  action: ApplyResult['action'],
  deployment: string | null,
  phase: ApplyResult['phase'] = null,
): ApplyResult => ({ name, action, deployment, phase, because: null });

/** A spec whose table somebody else has. */
export const later = (spec: Item['spec'], holder = 'another deployment'): ApplyResult => ({
  ...resultOf(spec.name, 'later', null),
  because: `${holder} comes first on ${objectOf(spec)}`,
});
