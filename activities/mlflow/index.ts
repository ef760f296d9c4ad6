import type { Activities, ClaimResult, Site } from '../../contracts/activities.ts';
import type { HeldModel } from '../../contracts/model.ts';
import { claimModel, raiseModelFenceIfThere, releaseModel } from './claim.ts';
import { readModel } from './look-model.ts';
import { openRegistry, type Registry, type RegistryConnection } from './registry.ts';
import { setAlias } from './set-alias.ts';

/** What the activities on registries are given. `registry` throws TARGET_UNKNOWN for a name that is not in the configuration. */
export interface RegistryDependencies {
  readonly registry: (name: string) => RegistryConnection;
}

/** The activities of this folder; claim, release and fence are those of the plan's own kind of target. */
export type RegistryActivities = Pick<Activities, 'readModel' | 'setAlias'> & {
  readonly claimModel: (site: Site, held: HeldModel) => Promise<ClaimResult>;
  readonly releaseModel: (site: Site, held: HeldModel) => Promise<void>;
  readonly raiseModelFence: (site: Site, held: HeldModel) => Promise<void>;
};

/** Finds a registry by its name. */
export const createRegistries =
  ({ registry }: RegistryDependencies): ((name: string) => Registry) =>
  (name) =>
    openRegistry(registry(name));

/** Everything that is done to a registry of models. */
export const createRegistryActivities = (at: (name: string) => Registry): RegistryActivities => ({
  readModel: ({ target, question }) => readModel(at(target), question),
  setAlias: ({ site, ...move }) => setAlias(at(site.target), site, modelOf(site), move),
  claimModel: (site, held) => claimModel(at(site.target), site, held),
  releaseModel: (site, held) => releaseModel(at(site.target), site, held),
  raiseModelFence: (site, held) => raiseModelFenceIfThere(at(site.target), site, held),
});

function modelOf({ model }: Site): HeldModel {
  if (model === undefined) throw new TypeError('an effect on a model in a plan of something else');
  return model;
}
