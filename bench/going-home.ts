import { randomUUID } from 'node:crypto';
import { Watch, type V1ConfigMap } from '@kubernetes/client-node';
import type { CanarySpec } from '../contracts/release-spec.ts';
import type { TestNamespace } from '../test/support/kubernetes/cluster.ts';
import type { RealService } from '../test/support/real-service.ts';
import { median, percentile, type Bench } from './figures.ts';
import { withOwnCluster } from './own-cluster.ts';

/** How often each is measured, and how many canaries are under way at once. */
const cycles = 200;
const lanes = 2;

const flags = {
  flags: { 'new-checkout': { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' } },
};

/** From an approval, and from an abort, until the route is written: a canary by a flag, on a real API server. */
export const goingHomeBench: Bench = ({ say }) =>
  withOwnCluster(async (service, namespace) => {
    const route = await RouteWatch.open(namespace);
    const there: number[] = [];
    const home: number[] = [];
    let begun = 0;
    const lane = async (): Promise<void> => {
      while (begun < cycles) {
        begun += 1;
        const took = await cycle(service, namespace, route, `flag-${begun}`);
        there.push(took.thereMs);
        home.push(took.homeMs);
        if (home.length % 50 === 0) say(`${home.length} of ${cycles}: home in ${median(home).toFixed(0)} ms`);
      }
    };
    try {
      await Promise.all(Array.from({ length: lanes }, lane));
    } finally {
      route.close();
    }
    return {
      name: 'going-home',
      how: `${cycles} canaries by a flag, ${lanes} at a time; from the order until its write is seen by a watch of ours, all in one run`,
      figures: [
        {
          what: 'abort until the route is written, p99',
          unit: 's',
          rounds: [percentile(home, 0.99) / 1_000],
          goal: { atMost: 1 },
        },
        { what: 'abort until the route is written, p50', unit: 's', rounds: [median(home) / 1_000], goal: null },
        {
          what: 'approval until the next share is written, p99',
          unit: 's',
          rounds: [percentile(there, 0.99) / 1_000],
          goal: { atMost: 1 },
        },
        {
          what: 'approval until the next share is written, p50',
          unit: 's',
          rounds: [median(there) / 1_000],
          goal: null,
        },
      ],
    };
  });

async function cycle(service: RealService, namespace: TestNamespace, route: RouteWatch, name: string) {
  const { apisOf } = await import('../test/support/kubernetes/cluster.ts');
  const body: V1ConfigMap = { metadata: { name }, data: { 'flags.json': JSON.stringify(flags) } };
  await apisOf(namespace.admin).core.createNamespacedConfigMap({ namespace: namespace.name, body });
  const spec: CanarySpec = {
    name,
    strategy: 'canary',
    target: 'k8s',
    workload: `${namespace.name}/${name}`,
    route: { via: 'flag', key: 'flags.json', flag: 'new-checkout', stable: 'off', candidate: 'on' },
    seen: false,
    steps: [{ weight: 50, for: '1h', approve: true }, { weight: 100 }],
  };
  const { id } = (await service.deploy(spec, randomUUID())).status;
  await service.reaches(id, 'waiting-for-approval');
  const divided = route.until(name, true);
  const approved = Date.now();
  await service.approve(id);
  const thereMs = (await divided) - approved;
  await service.reaches(id, 'watching');
  const undivided = route.until(name, false);
  const aborted = Date.now();
  await service.order(id, 'abort');
  const homeMs = (await undivided) - aborted;
  await service.reaches(id, 'rolled-back');
  return { thereMs, homeMs };
}

/** Tells when a flag became divided between two variants, or whole again; by a watch, so that nobody polls. */
class RouteWatch {
  readonly #waiting = new Map<string, { readonly divided: boolean; readonly seen: (at: number) => void }>();
  #controller: AbortController | null = null;

  static async open(namespace: TestNamespace): Promise<RouteWatch> {
    const { configOf } = await import('../test/support/kubernetes/cluster.ts');
    const watch = new RouteWatch();
    watch.#controller = await new Watch(configOf(namespace.admin)).watch(
      `/api/v1/namespaces/${namespace.name}/configmaps`,
      { timeoutSeconds: 3_600 },
      (_, { metadata, data }: V1ConfigMap) => watch.#heard(metadata?.name ?? '', data?.['flags.json'] ?? ''),
      () => undefined,
    );
    return watch;
  }

  /** Epoch ms. */
  until(name: string, divided: boolean): Promise<number> {
    return new Promise((seen) => this.#waiting.set(name, { divided, seen }));
  }

  close(): void {
    this.#controller?.abort();
  }

  #heard(name: string, text: string): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined || text.includes('fractional') !== waiting.divided) return;
    this.#waiting.delete(name);
    waiting.seen(Date.now());
  }
}
