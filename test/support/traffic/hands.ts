import { readObject } from '../../../activities/kubernetes/objects.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import {
  createClusterActivities,
  createClusters,
  type ClusterActivities,
} from '../../../activities/kubernetes/index.ts';
import { createTrafficActivities } from '../../../activities/traffic/activities.ts';
import { lookRoute, readRoute } from '../../../activities/traffic/index.ts';
import type { RouterContext } from '../../../activities/traffic/router.ts';
import type { Site } from '../../../contracts/activities.ts';
import type { Route, RouteFacts, RouteState, Seen, SeenShare } from '../../../contracts/route.ts';
import { kubeconfig } from '../../../tools/kubernetes/kubeconfig.ts';
import type { TestNamespace } from '../kubernetes/cluster.ts';
import type { Ground, Sample } from './ground.ts';

/** The deployment of the tests. */
export const ours = 'shop-canary-00000001';

/** One delivery of an effect: of which turn, the how manieth attempt, and of whom. */
export interface Delivery {
  readonly turn?: number;
  readonly attempt?: number;
  readonly deployment?: string;
}

/** The activities on traffic as a worker runs them, with the rights that we ask for. */
export class Hands {
  readonly #context: (target: string) => RouterContext;
  readonly #traffic: ReturnType<typeof createTrafficActivities>;
  readonly #cluster: ClusterActivities;
  readonly #folder: string;
  readonly #closing = new AbortController();

  private constructor(folder: string, ground: Pick<Ground, 'router'>) {
    const at = createClusters({
      cluster: (name) => ({ name, kubeconfig: join(folder, 'kubeconfig'), context: null }),
      closing: this.#closing.signal,
    });
    this.#folder = folder;
    this.#context = (target) => ({ cluster: at(target), router: ground.router, read: readObject });
    this.#traffic = createTrafficActivities({ router: ground.router, metrics: () => null }, at, noRegistry);
    this.#cluster = createClusterActivities(at);
  }

  /** Works with that kubeconfig; the namespace's own, if there is none, is that of the user `lakeshift`. */
  static async open(namespace: TestNamespace, ground: Pick<Ground, 'router'>, config?: string): Promise<Hands> {
    const folder = await mkdtemp(join(tmpdir(), 'lakeshift-hands-'));
    await writeFile(join(folder, 'kubeconfig'), config ?? kubeconfig(namespace.guest, 'lakeshift'));
    return new Hands(folder, ground);
  }

  close(): Promise<void> {
    this.#closing.abort();
    return rm(this.#folder, { recursive: true, force: true });
  }

  look(route: Route): Promise<RouteFacts> {
    return inActivity(() => lookRoute(this.#context('k8s'), route));
  }

  read(route: Route): Promise<RouteState> {
    return inActivity(() => readRoute(this.#context('k8s'), route));
  }

  set({ held }: Pick<Sample, 'held'>, route: Route, weight: number, by: Delivery = {}): Promise<RouteState> {
    return inActivity(() => this.#traffic.setWeight({ site: siteOf(held, by), route, weight }), by.attempt);
  }

  claim({ held }: Pick<Sample, 'held'>, by: Delivery = {}): Promise<unknown> {
    return inActivity(() => this.#cluster.claimObjects(siteOf(held, by), [held]));
  }

  release({ held }: Pick<Sample, 'held'>, by: Delivery = {}): Promise<void> {
    return inActivity(() => this.#cluster.releaseObjects(siteOf(held, by), [held]));
  }

  raiseFence({ held }: Pick<Sample, 'held'>, by: Delivery): Promise<void> {
    return inActivity(() => this.#cluster.raiseFences(siteOf(held, by), [held]), by.attempt);
  }

  observe(seen: Seen): Promise<SeenShare> {
    return inActivity(() => this.#traffic.observeTraffic({ seen }));
  }
}

const noRegistry = (): never => {
  throw new Error('there is no registry here');
};

const siteOf = (held: Sample['held'], { turn = 1, deployment = ours }: Delivery): Site => ({
  deployment,
  target: 'k8s',
  homeSchema: '',
  turn,
  objects: [held],
});

function inActivity<T>(work: () => Promise<T>, attempt = 1): Promise<T> {
  const environment = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
  return environment.run<[], T, () => Promise<T>>(work);
}
