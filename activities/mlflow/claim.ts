import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ClaimResult, Site } from '../../contracts/activities.ts';
import type { HeldModel } from '../../contracts/model.ts';
import { failure } from '../failures.ts';
import { readRegistered, type Registered } from './read-registered.ts';
import type { Registry } from './registry.ts';

/** What the tag of a deployment that holds a model begins with; the rest is its id, the value the latest effect. */
const heldBy = 'lakeshift.held-by.';

/** The deployments that hold a model. */
export const holdersIn = (tags: Registered['tags']): readonly string[] =>
  Object.keys(tags)
    .filter((key) => key.startsWith(heldBy))
    .map((key) => key.slice(heldBy.length));

/**
 * Takes a model, or says who has it. MLflow compares nothing when it writes, so each writes a tag of its own first and
 * looks for others afterwards: of two at once whoever looks last sees the other and gives way, so never both hold it.
 */
export async function claimModel(registry: Registry, site: Site, held: HeldModel): Promise<ClaimResult> {
  const before = await found(registry, held);
  const holder = otherThan(site, before);
  if (holder !== undefined) return { held: false, holder };
  await mark(registry, site, held, before);
  const other = otherThan(site, await found(registry, held));
  if (other === undefined) return { held: true };
  await unmark(registry, site, held);
  return { held: false, holder: other };
}

/** Refuses every delivery of an effect that is older than this one, from now on. */
export async function raiseModelFence(registry: Registry, site: Site, held: HeldModel): Promise<Registered> {
  const now = await found(registry, held);
  const seen = now.tags[`${heldBy}${site.deployment}`];
  if (seen === undefined)
    throw failure('CLAIM_GONE', `model ${held.model} says nothing of ${site.deployment} any more`);
  if (Number(seen) > deliveryOf(site)) throw fenced(site);
  await mark(registry, site, held, now);
  return now;
}

/** The same where traffic is taken from a candidate: a registry that is away must not keep it there. */
export async function raiseModelFenceIfThere(registry: Registry, site: Site, held: HeldModel): Promise<void> {
  try {
    await raiseModelFence(registry, site, held);
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || error.type !== 'TARGET_UNREACHABLE') throw error;
  }
}

/** Gives a model back, and leaves nothing of ours there. */
export async function releaseModel(registry: Registry, site: Site, held: HeldModel): Promise<void> {
  const now = await readRegistered(registry, held.model);
  const seen = now?.tags[`${heldBy}${site.deployment}`];
  if (seen === undefined) return;
  if (Number(seen) > deliveryOf(site)) throw fenced(site);
  await unmark(registry, site, held);
}

async function found(registry: Registry, { model, createdAt }: HeldModel): Promise<Registered> {
  const now = await readRegistered(registry, model);
  if (now === null) throw failure('TARGET_DRIFTED', `model ${model} is gone`);
  if (now.createdAt !== createdAt)
    throw failure('TARGET_DRIFTED', `model ${model} is not the one that the plan was made for`);
  return now;
}

const otherThan = ({ deployment }: Site, { tags }: Registered): string | undefined =>
  holdersIn(tags).find((holder) => holder !== deployment);

async function mark(registry: Registry, site: Site, { model }: HeldModel, { tags }: Registered): Promise<void> {
  const key = `${heldBy}${site.deployment}`;
  if (Number(tags[key] ?? 0) >= deliveryOf(site)) return;
  await registry.send('POST', 'registered-models/set-tag', { name: model, key, value: String(deliveryOf(site)) });
}

async function unmark(registry: Registry, { deployment }: Site, { model }: HeldModel): Promise<void> {
  await registry.send('DELETE', 'registered-models/delete-tag', { name: model, key: `${heldBy}${deployment}` });
}

const fenced = ({ deployment }: Site) => failure('FENCED', `a newer attempt of ${deployment} has taken over`);

/** By turn, then by attempt: a first copy that wakes up late is behind a second one. */
const deliveryOf = ({ turn }: Site): number => turn * 1_000 + Math.min(activityInfo().attempt, 999);
