import type { V1Deployment, V1EndpointSlice, V1Pod } from '@kubernetes/client-node';
import {
  apisOf,
  describeOnKubernetes,
  freshNamespace,
  type Apis,
  type TestNamespace,
} from '../support/kubernetes/cluster.ts';
import { askPod, deploymentOf, holds, serviceOf, type Wishes } from '../support/kubernetes/deployment.ts';
import { until } from './run-start.ts';

describeOnKubernetes('a real cluster', () => {
  let namespace: TestNamespace;
  let apis: Apis;
  beforeEach(async () => {
    namespace = await freshNamespace();
    apis = apisOf(namespace.admin);
  });
  afterEach(() => namespace.drop());

  const shop = () => ({ name: 'shop', namespace: namespace.name });
  const read = (): Promise<V1Deployment> => apis.apps.readNamespacedDeployment(shop());
  const pods = async (): Promise<readonly V1Pod[]> =>
    (await apis.core.listNamespacedPod({ namespace: namespace.name, labelSelector: 'app=shop' })).items;
  const living = async (): Promise<readonly V1Pod[]> =>
    (await pods()).filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  const slices = async (): Promise<readonly V1EndpointSlice[]> =>
    (await apis.discovery.listNamespacedEndpointSlice({ namespace: namespace.name })).items;
  const endpoints = async () => (await slices()).flatMap((slice) => slice.endpoints ?? []);

  const create = (wishes?: Wishes): Promise<V1Deployment> =>
    apis.apps.createNamespacedDeployment({ namespace: namespace.name, body: deploymentOf('shop', wishes) });
  const setImage = async (image: string): Promise<void> => {
    const deployment = await read();
    const container = deployment.spec?.template.spec?.containers[0];
    if (container !== undefined) container.image = image;
    await apis.apps.replaceNamespacedDeployment({ ...shop(), body: deployment });
  };
  const rolledOut = async (replicas = 3): Promise<boolean> => {
    const { metadata, status } = await read();
    const counts = [status?.replicas, status?.updatedReplicas, status?.availableReplicas];
    return status?.observedGeneration === metadata?.generation && counts.every((count) => count === replicas);
  };
  const started = async (wishes?: Wishes): Promise<readonly V1Pod[]> => {
    await create(wishes);
    await until('the deployment is ready', () => rolledOut(wishes?.replicas), 30_000);
    return pods();
  };

  it('gets a deployment of three ready, and each pod answers at its own address', async () => {
    const three = await started();
    const addresses = three.map(({ status }) => status?.podIP ?? '');
    expect(new Set(addresses).size).toBe(3);
    const answers = await Promise.all(addresses.map(askPod));
    expect(answers).toEqual(three.map(({ metadata }) => ({ status: 200, version: 'v1', pod: metadata?.name })));
  });

  it('lists the pods that are ready in its EndpointSlices', async () => {
    await apis.core.createNamespacedService({ namespace: namespace.name, body: serviceOf('shop') });
    const addresses = (await started()).map(({ status }) => status?.podIP);
    await until('all are listed', async () => (await endpoints()).filter((one) => one.conditions?.ready).length === 3);
    expect((await endpoints()).flatMap((one) => one.addresses).sort()).toEqual(addresses.sort());
  });

  it('rolls out a new version with at most two more and one less', async () => {
    await started({
      replicas: 4,
      spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } } },
    });
    await setImage('app:v2');
    const seen: { total: number; available: number }[] = [];
    await until('the new version is out', async () => {
      const { status } = await read();
      seen.push({ total: status?.replicas ?? 0, available: status?.availableReplicas ?? 0 });
      return rolledOut(4);
    });
    expect(Math.max(...seen.map(({ total }) => total))).toBeLessThanOrEqual(6);
    expect(Math.min(...seen.map(({ available }) => available))).toBeGreaterThanOrEqual(3);
    const answers = await Promise.all((await living()).map(({ status }) => askPod(status?.podIP ?? '')));
    expect(answers.map((answer) => answer?.version)).toEqual(['v2', 'v2', 'v2', 'v2']);
  });

  it('gives up on an image that is missing, and the old pods go on serving', async () => {
    const old = await started({
      spec: { progressDeadlineSeconds: 3, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
    });
    await setImage('missing/app:v2');
    await until('the deployment gives up', async () => holds(await read(), 'Progressing', 'False'), 30_000);
    const progressing = (await read()).status?.conditions?.find(({ type }) => type === 'Progressing');
    expect(progressing?.reason).toBe('ProgressDeadlineExceeded');
    const waiting = (await pods()).flatMap(({ status }) => status?.containerStatuses?.[0]?.state?.waiting ?? []);
    expect(waiting.map(({ reason }) => reason)).toEqual(['ImagePullBackOff']);
    const answers = await Promise.all(old.map(({ status }) => askPod(status?.podIP ?? '')));
    expect(answers.map((answer) => answer?.version)).toEqual(['v1', 'v1', 'v1']);
  });

  it('lets a pod that is deleted serve for its grace, outside of the ready endpoints', async () => {
    await apis.core.createNamespacedService({ namespace: namespace.name, body: serviceOf('shop') });
    const [pod] = await started({ replicas: 1, pod: { terminationGracePeriodSeconds: 3 } });
    const [name, address] = [pod?.metadata?.name ?? '', pod?.status?.podIP ?? ''];
    const began = Date.now();
    await apis.core.deleteNamespacedPod({ name, namespace: namespace.name });
    await until('it is terminating', async () => {
      const conditions = (await endpoints()).find((one) => one.addresses.includes(address))?.conditions;
      return conditions?.terminating === true && conditions.ready === false && conditions.serving === true;
    });
    expect(await askPod(address)).toMatchObject({ status: 200 });
    await until('it refuses', async () => (await askPod(address)) === null);
    expect(Date.now() - began).toBeGreaterThanOrEqual(2_900);
    await until('it is gone', async () => (await pods()).every(({ metadata }) => metadata?.name !== name));
  });

  it('has pods that end at once when they are asked to, as careless applications do', async () => {
    const [pod] = await started({ replicas: 1, env: { DRAIN_MS: '0' }, pod: { terminationGracePeriodSeconds: 600 } });
    const [name, address] = [pod?.metadata?.name ?? '', pod?.status?.podIP ?? ''];
    await apis.core.deleteNamespacedPod({ name, namespace: namespace.name });
    await until('it refuses', async () => (await askPod(address)) === null);
  });

  it('has pods that are slow, that fail, that nobody can reach', async () => {
    const behaving = async (name: string, env: Wishes['env']): Promise<string> => {
      const body = deploymentOf(name, { replicas: 1, ...(env === undefined ? {} : { env }) });
      await apis.apps.createNamespacedDeployment({ namespace: namespace.name, body });
      let address = '';
      await until(`${name} is ready`, async () => {
        const list = await apis.core.listNamespacedPod({ namespace: namespace.name, labelSelector: `app=${name}` });
        const ready = list.items.find((pod) => holds(pod, 'Ready'));
        address = ready?.status?.podIP ?? '';
        return address !== '';
      });
      return address;
    };
    const [slow, failing, deaf] = await Promise.all([
      behaving('slow', { LATENCY_MS: '300' }),
      behaving('failing', { FAIL_RATE: '0.5' }),
      behaving('deaf', { REFUSES: '1' }),
    ]);
    const began = performance.now();
    expect(await askPod(slow)).toMatchObject({ status: 200 });
    expect(performance.now() - began).toBeGreaterThanOrEqual(299);
    const statuses: number[] = [];
    for (let asked = 0; asked < 4; asked += 1) statuses.push((await askPod(failing))?.status ?? 0);
    expect(statuses.sort()).toEqual([200, 200, 500, 500]);
    expect(await askPod(deaf)).toBeNull();
  });

  it('has pods that never get ready, and pods that die and start again', async () => {
    await create({ replicas: 1, env: { NEVER_READY: '1', DIES_AFTER_MS: '200' } });
    await until('it was started again', async () => {
      const [container] = (await pods())[0]?.status?.containerStatuses ?? [];
      return (container?.restartCount ?? 0) >= 2 && container?.lastState?.terminated?.exitCode === 1;
    });
    expect((await read()).status?.readyReplicas ?? 0).toBe(0);
  });

  it('refuses the user lakeshift whatever no role allows', async () => {
    await create({ replicas: 0 });
    const { apps } = apisOf(namespace.guest);
    await expect(apps.readNamespacedDeployment(shop())).rejects.toMatchObject({ code: 403 });
    await namespace.allow({ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] });
    await until('the role is known', () =>
      apps.readNamespacedDeployment(shop()).then(
        () => true,
        () => false,
      ),
    );
    await expect(apps.deleteNamespacedDeployment(shop())).rejects.toMatchObject({ code: 403 });
  });
});
