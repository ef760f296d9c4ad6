import type { V1Deployment } from '@kubernetes/client-node';
import type { DeploymentView } from '../../../contracts/api.ts';
import type { ReleaseSpec } from '../../../contracts/release-spec.ts';
import type { JointSpec } from '../../../contracts/spec.ts';
import { kubeconfig } from '../../../tools/kubernetes/kubeconfig.ts';
import { RealService, type Surroundings } from '../real-service.ts';
import { until } from '../until.ts';
import { apisOf, freshNamespace, type Apis, type TestNamespace } from './cluster.ts';
import { deploymentOf, serviceOf, type Wishes } from './deployment.ts';
import { rights } from './rights.ts';

/** Text of a kubeconfig where it is not the guest's own, and what else the service knows. */
type Known = Partial<Pick<Surroundings, 'kubeconfig' | 'routers' | 'prometheus'>>;

/** A namespace of one suite, and a service that releases what is in it under the rights that we ask for. */
export class Releases {
  readonly namespace: TestNamespace;
  readonly apis: Apis;
  #service: RealService | null = null;

  private constructor(namespace: TestNamespace) {
    this.namespace = namespace;
    this.apis = apisOf(namespace.admin);
  }

  /** Without a service: something has to be there before it starts. */
  static async prepare(): Promise<Releases> {
    const namespace = await freshNamespace();
    await namespace.allow(...rights);
    return new Releases(namespace);
  }

  static async open(known: Known = {}): Promise<Releases> {
    const releases = await Releases.prepare();
    await releases.serve(known);
    return releases;
  }

  async serve({ kubeconfig: text, ...more }: Known = {}): Promise<void> {
    this.#service = await RealService.onCluster(text ?? kubeconfig(this.namespace.guest, 'lakeshift'), more);
  }

  async close(): Promise<void> {
    await this.#service?.stop();
    await this.namespace.drop();
  }

  get service(): RealService {
    if (this.#service === null) throw new Error('the service was not started');
    return this.#service;
  }

  /** Name of the workload with that of its namespace. */
  at(name: string): string {
    return `${this.namespace.name}/${name}`;
  }

  deployment(name: string): Promise<V1Deployment> {
    return this.apis.apps.readNamespacedDeployment({ namespace: this.namespace.name, name });
  }

  /** Of its first container. */
  async imageOf(name: string): Promise<string | undefined> {
    return (await this.deployment(name)).spec?.template.spec?.containers[0]?.image;
  }

  /** Pods that are there, ready and without a Service. */
  async running(name: string, wishes: Wishes = {}): Promise<V1Deployment> {
    const { replicas = 3 } = wishes;
    const body = deploymentOf(name, wishes);
    await this.apis.apps.createNamespacedDeployment({ namespace: this.namespace.name, body });
    return until(`${name} to be ready`, async () => {
      const found = await this.deployment(name);
      return (found.status?.availableReplicas ?? 0) === replicas ? found : null;
    });
  }

  /** Pods behind a Service. */
  async serving(name: string, wishes: Wishes = {}): Promise<void> {
    await this.apis.core.createNamespacedService({ namespace: this.namespace.name, body: serviceOf(name) });
    await this.running(name, wishes);
  }

  /** Two sides behind one Service, of which `name-blue` serves. */
  async sides(name: string, wishes: Wishes = {}): Promise<void> {
    const body = serviceOf(name);
    Object.assign(body.spec ?? {}, { selector: { app: `${name}-blue` } });
    await this.apis.core.createNamespacedService({ namespace: this.namespace.name, body });
    await this.running(`${name}-green`, { ...wishes, replicas: 0 });
    await this.running(`${name}-blue`, wishes);
  }

  async podsOf(name: string) {
    const { items } = await this.apis.core.listNamespacedPod({
      namespace: this.namespace.name,
      labelSelector: `app=${name}`,
    });
    return items;
  }

  /** Until no pod with that label is left. */
  gone(name: string): Promise<unknown> {
    return until(`the pods of ${name} to be gone`, async () => ((await this.podsOf(name)).length === 0 ? true : null));
  }

  /** Starts a deployment, and answers its id. */
  async start(spec: ReleaseSpec | JointSpec): Promise<string> {
    return (await this.service.deploy(spec, crypto.randomUUID())).status.id;
  }

  /** Until it is watched there, or waits there. */
  reaches(id: string, stage: string, phase: 'watching' | 'in-grace' = 'watching'): Promise<DeploymentView> {
    return until(`${id} ${phase} in ${stage}`, async () => {
      const view = await this.service.view(id);
      return view.status.stage === stage && view.status.phase === phase ? view : null;
    });
  }

  async skip(id: string, group?: string): Promise<void> {
    const { planHash } = (await this.service.view(id)).status;
    await this.order(id, 'skip', { planHash }, group);
  }

  /** Fails when it is refused. */
  async order(id: string, order: string, more: Record<string, unknown> = {}, group?: string): Promise<void> {
    const { status, body } = await this.service.order(id, order, more, group);
    if (status !== 200) throw new Error(`${order} was refused: ${JSON.stringify(body)}`);
  }
}

/** Of pods that lose no request: they end at once when they are told to, and a hook holds that back for as long as routers need. */
export const draining = ({ env, pod, ...wishes }: Wishes = {}): Wishes => ({
  ...wishes,
  env: { DRAIN_MS: '0', ...env },
  lifecycle: { preStop: { sleep: { seconds: 3 } } },
  pod: { terminationGracePeriodSeconds: 10, ...pod },
});
