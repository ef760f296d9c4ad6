import type { RollingSpec } from '../contracts/release-spec.ts';
import { kubeconfig } from '../tools/kubernetes/kubeconfig.ts';
import { againstOthers, type Way } from './against-others.ts';
import { CarelessPods, drainSeconds, replicas } from './careless-pods.ts';
import { cliDeploy } from './cli-deploy.ts';
import type { Bench } from './figures.ts';
import { withOwnCluster } from './own-cluster.ts';
import { openKubectl } from './peers/kubectl.ts';
import { load, releasedUnderLoad } from './released-under-load.ts';

/** A `rolling` release against `kubectl set image` and `kubectl rollout status`: the same pods, the same requests. */
export const kubectlRolloutBench: Bench = ({ rounds, say }) =>
  withOwnCluster(async (service, namespace) => {
    const { startTraefik } = await import('../test/support/data-planes/traefik.ts');
    const pods = new CarelessPods(service, namespace);
    const kubectl = await openKubectl(kubeconfig(namespace.admin), namespace.name, say);
    const closing: (() => Promise<void>)[] = [kubectl.close];
    const way = async (
      title: string,
      { name, drains }: { readonly name: string; readonly drains: boolean },
      release: (image: string) => Promise<void>,
    ): Promise<Way> => {
      await pods.create(name, drains);
      await pods.serve(name, name);
      const { url, stop } = await startTraefik(namespace, { stable: name });
      closing.push(stop);
      return {
        name: title,
        release: (image) =>
          releasedUnderLoad(
            url,
            () => release(image),
            () => pods.settled(name),
          ),
      };
    };
    const byHand = (name: string) => async (image: string) => {
      await kubectl.run('set', 'image', `deployment/${name}`, `app=${image}`);
      await kubectl.run('rollout', 'status', `deployment/${name}`, '--timeout=5m');
    };
    const spec = (image: string): RollingSpec => ({
      ...{ name: 'ours', strategy: 'rolling', target: 'k8s', workload: `${namespace.name}/ours` },
      ...{ images: { app: image }, surge: 1, unavailable: 0, grace: `${drainSeconds + 5}s` },
    });
    try {
      const ours = await way('lakeshift deploy', { name: 'ours', drains: false }, (image) =>
        cliDeploy(service.address, spec(image)),
      );
      const theirs = [
        await way('kubectl rollout', { name: 'usual', drains: false }, byHand('usual')),
        await way('kubectl rollout, with preStop', { name: 'drained', drains: true }, byHand('drained')),
      ];
      return {
        name: 'kubectl-rollout',
        how: `${replicas} pods, one more at a time, ready after 0.3 s; through Traefik at ${load.perSecond} requests/s until the old pods are gone; in turns, after one release each, which gives ours its drain of ${drainSeconds} s`,
        figures: await againstOthers(ours, theirs, rounds, say),
      };
    } finally {
      for (const close of closing.toReversed()) await close();
    }
  });
