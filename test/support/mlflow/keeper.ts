import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createRegistries, createRegistryActivities } from '../../../activities/mlflow/index.ts';
import { lookModel } from '../../../activities/mlflow/look-model.ts';
import type { RegistryConnection } from '../../../activities/mlflow/registry.ts';
import type { AliasFacts, ClaimResult, Site } from '../../../contracts/activities.ts';
import type { HeldModel, ModelFacts, ModelQuestion, ModelState } from '../../../contracts/model.ts';
import type { AliasMove } from '../../../activities/mlflow/set-alias.ts';

/** One delivery of an effect: of which turn, the how manieth attempt, and of whom. */
export interface Delivery {
  readonly turn?: number;
  readonly attempt?: number;
  readonly deployment?: string;
}

/** The deployment of the tests. */
export const ours = 'forecast-12-00000001';

/** The activities on a registry as a worker runs them. */
export class Keeper {
  readonly #connection: RegistryConnection;
  readonly #activities: ReturnType<typeof createRegistryActivities>;

  constructor(url: string, token: string | null = null) {
    this.#connection = { name: 'models', url, token };
    this.#activities = createRegistryActivities(createRegistries({ registry: () => this.#connection }));
  }

  claim(held: HeldModel, by: Delivery = {}): Promise<ClaimResult> {
    return inActivity(() => this.#activities.claimModel(siteOf(held, by), held), by.attempt);
  }

  release(held: HeldModel, by: Delivery = {}): Promise<void> {
    return inActivity(() => this.#activities.releaseModel(siteOf(held, by), held), by.attempt);
  }

  raiseFence(held: HeldModel, by: Delivery = {}): Promise<void> {
    return inActivity(() => this.#activities.raiseModelFence(siteOf(held, by), held), by.attempt);
  }

  setAlias(held: HeldModel, move: AliasMove, by: Delivery = {}): Promise<AliasFacts> {
    return inActivity(() => this.#activities.setAlias({ site: siteOf(held, by), ...move }), by.attempt);
  }

  read(question: ModelQuestion): Promise<ModelState> {
    return inActivity(() => this.#activities.readModel({ target: 'models', question }));
  }

  look(model: string, version: string): Promise<Omit<ModelFacts, 'route'>> {
    const registry = createRegistries({ registry: () => this.#connection })('models');
    const route = { via: 'nginx', router: 'web', stable: 'a', candidate: 'b' } as const;
    return inActivity(() => lookModel(registry, { model, version, stable: 'champion', candidate: 'canary', route }));
  }
}

const siteOf = (model: HeldModel, { turn = 1, deployment = ours }: Delivery): Site => ({
  deployment,
  target: 'models',
  homeSchema: '',
  turn,
  model,
});

function inActivity<T>(work: () => Promise<T>, attempt = 1): Promise<T> {
  const environment = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
  return environment.run<[], T, () => Promise<T>>(work);
}
