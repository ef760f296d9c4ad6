import type { AliasFacts, Site } from '../../contracts/activities.ts';
import type { HeldModel } from '../../contracts/model.ts';
import { failure } from '../failures.ts';
import { raiseModelFence } from './claim.ts';
import { readRegistered } from './read-registered.ts';
import type { Registry } from './registry.ts';

/** What an alias is to become, and from where. */
export interface AliasMove {
  readonly alias: string;
  /** Null: it is removed. */
  readonly version: string | null;
  /** Where it has to point before; it is left alone when it points elsewhere. */
  readonly from: string | null;
}

/** Moves an alias behind the fence and reads it back; where somebody else has pointed it is answered, and left so. */
export async function setAlias(registry: Registry, site: Site, held: HeldModel, move: AliasMove): Promise<AliasFacts> {
  const { alias, version, from } = move;
  const now = (await raiseModelFence(registry, site, held)).aliases[alias] ?? null;
  if (now === version || now !== from) return { version: now };
  await write(registry, held, move);
  const after = await readRegistered(registry, held.model);
  return { version: after?.aliases[alias] ?? null };
}

async function write(registry: Registry, { model: name }: HeldModel, { alias, version }: AliasMove): Promise<void> {
  if (version === null) {
    await registry.send('DELETE', 'registered-models/alias', { name, alias });
    return;
  }
  const said = await registry.send('POST', 'registered-models/alias', { name, alias, version });
  if (said === null) throw failure('TARGET_DRIFTED', `model ${name} has no version ${version} any more`);
}
