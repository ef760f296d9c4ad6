import type { V1Container, V1Deployment } from '@kubernetes/client-node';
import type { RealService } from '../test/support/real-service.ts';
import type { TestNamespace } from '../test/support/kubernetes/cluster.ts';

/** How long a pod drains where it does, s: what a release of ours gives it by default. */
export const drainSeconds = 10;
export const replicas = 4;

/** Deployments as most are: their pods end at once when they are told to; `drains`: a preStop hook holds that back. */
export class CarelessPods {
  readonly #service: RealService;
  readonly #namespace: TestNamespace;

  constructor(service: RealService, namespace: TestNamespace) {
    this.#service = service;
    this.#namespace = namespace;
  }

  /** With as many pods as said; ready when it returns. */
  async create(name: string, drains: boolean, pods = replicas): Promise<void> {
    const { apps } = await this.#apis();
    const { deploymentOf } = await import('../test/support/kubernetes/deployment.ts');
    const env = { DRAIN_MS: '0', READY_AFTER_MS: '300' };
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    const body: V1Deployment = deploymentOf(name, { replicas: pods, env });
    Object.assign(body.spec ?? {}, { strategy });
    const pod = body.spec?.template.spec;
    Object.assign(pod ?? {}, { terminationGracePeriodSeconds: drainSeconds + 5 });
    const hook: Partial<V1Container> = drains ? { lifecycle: { preStop: { sleep: { seconds: drainSeconds } } } } : {};
    Object.assign(pod?.containers[0] ?? {}, hook);
    await apps.createNamespacedDeployment({ namespace: this.#namespace.name, body });
    await this.settled(name, pods);
  }

  /** A Service before the pods with that label `app`. */
  async serve(name: string, app: string): Promise<void> {
    const { core } = await this.#apis();
    const { serviceOf } = await import('../test/support/kubernetes/deployment.ts');
    const body = serviceOf(name);
    Object.assign(body.spec ?? {}, { selector: { app } });
    await core.createNamespacedService({ namespace: this.#namespace.name, body });
  }

  /** Until there are so many pods, those that drain included, and all are ready. */
  async settled(name: string, pods = replicas): Promise<unknown> {
    const { core } = await this.#apis();
    const { holds } = await import('../test/support/kubernetes/deployment.ts');
    return this.#service.until(`${pods} pods of ${name}`, async () => {
      const asked = { namespace: this.#namespace.name, labelSelector: `app=${name}` };
      const { items } = await core.listNamespacedPod(asked);
      return items.length === pods && items.every((pod) => holds(pod, 'Ready')) ? true : null;
    });
  }

  async #apis() {
    const { apisOf } = await import('../test/support/kubernetes/cluster.ts');
    return apisOf(this.#namespace.admin);
  }
}
