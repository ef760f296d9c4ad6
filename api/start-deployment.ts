import { randomUUID } from 'node:crypto';
import { failures } from '../contracts/failures.ts';
import type { Actor } from '../contracts/messages.ts';
import type { Plan } from '../contracts/plan.ts';
import type { Status } from '../contracts/progress.ts';
import { canonicalJson, hashOf, sha256 } from '../decisions/hash.ts';
import { specHash } from '../decisions/plan-deployment.ts';
import type { KeptStart } from '../ledger/index.ts';
import type { ApiDependencies } from './deps.ts';
import { makePlan, readSpec, type CheckedSpec } from './make-plan.ts';
import { Refusal } from './problems.ts';
import { findShownPlan } from './shown-plan.ts';

/** Somebody's request to start a deployment. */
export interface StartRequest {
  readonly body: unknown;
  readonly actor: Actor;
  /** The Idempotency-Key; null: the spec's hash takes its place. */
  readonly key: string | null;
  /** The hash of the plan that was shown and shall be carried out; null: one is made now. */
  readonly planHash: string | null;
}

/** A deployment that has accepted its plan. */
export interface Started {
  readonly status: Status;
  /** False: this very request had been accepted before. */
  readonly isNew: boolean;
  /** False: somebody else's request has made the reservation, and this one has met it. */
  readonly isOurs: boolean;
}

type Accepted = Omit<Started, 'isOurs'>;

/** What is wished for, once it is known to make sense. */
export interface Wish extends CheckedSpec {
  readonly specHash: string;
  readonly planHash: string | null;
  /** A plan that has been made just now; absent: one is made when it is needed. */
  readonly plan?: Plan;
  readonly actor: Actor;
  readonly keyScope: string;
  readonly keyHash: string;
  /** UUID of this request. */
  readonly attempt: string;
  /** Why a reservation of this key for another spec is in the way; null: it is not. */
  readonly refuseOther: (kept: KeptStart) => Refusal | null;
}

/** A reservation that is this old and that no workflow has reported on was left behind by a service that died; ms. */
const abandonedAfter = 600_000;

/** Whether nobody works on a reservation any more, and no workflow does. */
export const isAbandoned = ({ accepted, startedAt }: KeptStart): boolean =>
  !accepted && Date.now() - startedAt >= abandonedAfter;

/**
 * Starts a deployment once, however often and however simultaneously it is asked for: the id follows from who asks and
 * from the key, the plan is reserved in the ledger before the workflow begins, and whoever comes second meets both.
 */
export const startDeployment = (deps: ApiDependencies, request: StartRequest): Promise<Started> =>
  fulfil(deps, readWish(deps, request));

/** The same for a wish that has been read. */
export async function fulfil(deps: ApiDependencies, wish: Wish): Promise<Started> {
  const before = await deps.reader.findStart(wish.keyScope, wish.keyHash, idOf(wish));
  if (before !== null) refuseOtherSpec(before, wish);
  if (before?.accepted === true) return { ...(await known(deps, before.id)), isOurs: false };

  const start = await reserve(deps, wish, before);
  refuseOtherSpec(start, wish);
  refuseOtherPlan(start.id, start.plan.hash, wish);
  const started = await begin(deps, start, wish.actor);
  // A workflow that began long ago has met the request: what it carries out is not what was just reserved.
  if (started.isNew) refuseOtherPlan(start.id, started.status.planHash, wish);
  return { ...started, isOurs: start.attempt === wish.attempt };
}

function readWish(deps: ApiDependencies, { body, actor, key, planHash }: StartRequest): Wish {
  const checked = readSpec(deps, body);
  const hash = specHash(checked.spec);
  const keys = { keyScope: actor.name, keyHash: sha256(key ?? hash), attempt: randomUUID() };
  const refuseOther = ({ id }: KeptStart): Refusal => keyReused(id, 'another spec');
  return { ...checked, specHash: hash, planHash, actor, ...keys, refuseOther };
}

/** The reservation that stands: an earlier one that is still fresh, somebody else's who was quicker, or our own. */
async function reserve(deps: ApiDependencies, wish: Wish, before: KeptStart | null): Promise<KeptStart> {
  if (before !== null && !isAbandoned(before)) return before;
  if (wish.planHash !== null) return keep(deps, wish, await findShownPlan(deps, wish.planHash, wish), before);
  let plan: Plan;
  try {
    plan = wish.plan ?? (await makePlan(deps, wish));
  } catch (error) {
    // The same request may have been quicker, and what was seen is its work.
    const stands = await deps.reader.findStart(wish.keyScope, wish.keyHash, idOf(wish));
    if (stands === null) throw error;
    return stands;
  }
  return keep(deps, wish, plan, before);
}

/** Reserves a plan in the place of an abandoned reservation, unless the same request was quicker. */
async function keep(deps: ApiDependencies, wish: Wish, plan: Plan, abandoned: KeptStart | null): Promise<KeptStart> {
  const { actor, keyScope, keyHash, attempt } = wish;
  if (abandoned !== null) await deps.writer.dropStart(abandoned);
  const id = idOf(wish);
  const made = { id, plan, startedBy: actor.name, startedAt: Date.now(), keyScope, keyHash, attempt };
  const stands = await deps.writer.saveStart(made);
  if (stands === null) throw new Refusal('KEY_REUSED', `the id ${id} belongs to another request; send another key`);
  return stands;
}

/** Starts the workflow, or meets it, and waits for its word. */
async function begin(deps: ApiDependencies, start: KeptStart, actor: Actor): Promise<Accepted> {
  const { id, plan, startedAt } = start;
  try {
    const status = await deps.engine.start({ id, plan, startedBy: actor, startedAt });
    if (status === null) return await known(deps, id);
    // The workflow reports too, a moment later; until then this is what the ledger knows.
    await deps.writer.recordAccepted(status);
    return { status, isNew: true };
  } catch (error) {
    if (isFinal(error)) await deps.writer.dropStart(start);
    throw error;
  }
}

/** Letters, digits and dashes: it stands in addresses and shell commands. */
export const idOf = ({ spec, keyScope, keyHash }: Pick<Wish, 'spec' | 'keyScope' | 'keyHash'>): string =>
  `${spec.name}-${sha256(canonicalJson([keyScope, keyHash])).slice(0, 8)}`;

function refuseOtherSpec(kept: KeptStart, wish: Wish): void {
  const refusal = kept.specHash === wish.specHash ? null : wish.refuseOther(kept);
  if (refusal !== null) throw refusal;
}

/** Nothing but the plan that was shown is carried out for whoever names it. */
function refuseOtherPlan(id: string, kept: string, { planHash }: Wish): void {
  if (planHash !== null && kept !== planHash) throw keyReused(id, `another plan, ${kept.slice(0, 8)}…`);
}

const keyReused = (id: string, what: string): Refusal =>
  new Refusal('KEY_REUSED', `the key has started ${id} with ${what}`, { holder: id });

/** A deployment that had been accepted before. */
async function known({ reader }: ApiDependencies, id: string): Promise<Accepted> {
  const kept = await reader.find(id);
  if (kept === null) throw new Refusal('OUTCOME_UNKNOWN', `${id} has ended, and the ledger does not know how`);
  return { status: kept.status, isNew: false };
}

/** Whether the workflow has said no, so that the same request may begin anew. */
const isFinal = (error: unknown): boolean =>
  error instanceof Refusal && ['refused', 'broken'].includes(failures[error.code].family) && error.code !== 'INTERNAL';

/** The id of an order: of one that is repeated under a key it is the same, so that it is carried out once. */
export const orderIdOf = (
  deployment: string,
  actor: Actor,
  order: string,
  body: unknown,
  key: string | null,
): string => (key === null ? randomUUID() : hashOf([deployment, actor.name, order, body, key]).slice(0, 32));
