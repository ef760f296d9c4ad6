import type { BlueGreenSpec } from '../contracts/release-spec.ts';
import type { TestNamespace } from '../test/support/kubernetes/cluster.ts';
import { kubeconfig } from '../tools/kubernetes/kubeconfig.ts';
import { againstOthers, type Way } from './against-others.ts';
import { CarelessPods, drainSeconds, replicas } from './careless-pods.ts';
import { cliDeploy } from './cli-deploy.ts';
import type { Bench } from './figures.ts';
import { withOwnCluster } from './own-cluster.ts';
import { openKubectl } from './peers/kubectl.ts';
import { load, releasedUnderLoad } from './released-under-load.ts';

/** A `blue-green` release against the usual script of kubectl commands: the same pods, the same requests. */
export const blueGreenScriptBench: Bench = ({ rounds, say }) =>
  withOwnCluster(async (service, namespace) => {
    const pods = new CarelessPods(service, namespace);
    const kubectl = await openKubectl(kubeconfig(namespace.admin), namespace.name, say);
    const opened: Closable[] = [kubectl];
    const way = async (given: Given): Promise<Way> => {
      const made = await openWay(namespace, pods, given);
      opened.push(made);
      return made;
    };
    const byHand =
      (name: string): Given['release'] =>
      ({ old, idle }, image) =>
        kubectl.blueGreen(name, old, idle, image, String(replicas));
    try {
      const ours = await way({
        ...{ title: 'lakeshift deploy', name: 'ours', drains: false },
        release: (_, image) => cliDeploy(service.address, specOf(namespace.name, image)),
      });
      const theirs = [
        await way({ title: 'script', name: 'usual', drains: false, release: byHand('usual') }),
        await way({ title: 'script, with preStop', name: 'drained', drains: true, release: byHand('drained') }),
      ];
      return {
        name: 'blue-green-script',
        how: `${replicas} pods a side, ready after 0.3 s; ours without its watch and its keeping of the old side; through Traefik at ${load.perSecond} requests/s until the old pods are gone; in turns, after one release each, which gives ours its drain of ${drainSeconds} s`,
        figures: await againstOthers(ours, theirs, rounds, say),
      };
    } finally {
      for (const { close } of opened.toReversed()) await close();
    }
  });

interface Closable {
  readonly close: () => Promise<void>;
}

interface Given {
  readonly title: string;
  readonly name: string;
  readonly drains: boolean;
  readonly release: (sides: { readonly old: string; readonly idle: string }, image: string) => Promise<void>;
}

/** Two sides, of which blue serves first, and Traefik before them. */
async function openWay(
  namespace: TestNamespace,
  pods: CarelessPods,
  { title, name, drains, release }: Given,
): Promise<Way & Closable> {
  const { startTraefik } = await import('../test/support/data-planes/traefik.ts');
  let [old, idle] = [`${name}-blue`, `${name}-green`];
  await pods.create(old, drains);
  await pods.create(idle, drains, 0);
  await pods.serve(name, old);
  const { url, stop } = await startTraefik(namespace, { stable: name });
  return {
    name: title,
    close: stop,
    release: (image) => {
      const sides = { old, idle };
      [old, idle] = [idle, old];
      return releasedUnderLoad(
        url,
        () => release(sides, image),
        () => pods.settled(sides.old, 0),
      );
    },
  };
}

const specOf = (namespace: string, image: string): BlueGreenSpec => ({
  ...{ name: 'ours', strategy: 'blue-green', target: 'k8s', service: `${namespace}/ours` },
  slots: { label: 'app', blue: 'ours-blue', green: 'ours-green' },
  images: { app: image },
  ...{ watch: { for: '0s' }, keepOld: '0s', grace: `${drainSeconds + 5}s` },
});
