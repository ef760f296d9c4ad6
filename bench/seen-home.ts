import { randomUUID } from 'node:crypto';
import type { DeploymentEvent } from '../contracts/events.ts';
import type { CanarySpec } from '../contracts/release-spec.ts';
import type { RealService } from '../test/support/real-service.ts';
import type { TestNamespace } from '../test/support/kubernetes/cluster.ts';
import { sendRequests, type Requests } from '../test/support/data-planes/requests.ts';
import { CarelessPods } from './careless-pods.ts';
import { median, percentile, type Bench } from './figures.ts';
import { withOwnCluster } from './own-cluster.ts';

/** How often it is measured, and how many canaries are under way at once. */
const cycles = 200;
const lanes = 4;
const perSecond = 200;
/** What Traefik does by itself; the tests have it follow sooner. */
const throttleMs = 2_000;

/** From an abort until the traffic is home: a canary at 50 % through a real Traefik, under load. */
export const seenHomeBench: Bench = ({ say }) =>
  withOwnCluster(async (service, namespace) => {
    const took: Home[] = [];
    let begun = 0;
    const lane = async (_: unknown, index: number): Promise<void> => {
      const shop = await openShop(service, namespace, `shop-${index}`);
      try {
        while (begun < cycles) {
          begun += 1;
          took.push(await cycle(service, shop));
          if (took.length % 20 === 0) say(`${took.length} of ${cycles}: seen home in ${median(seen()).toFixed(0)} ms`);
        }
      } finally {
        await shop.close();
      }
    };
    const seen = (): number[] => took.map(({ seenMs }) => seenMs);
    const last = (): number[] => took.map(({ lastMs }) => lastMs);
    await Promise.all(Array.from({ length: lanes }, lane));
    const seconds = (what: string, ms: readonly number[], p: number, atMost?: number) => ({
      what: `${what}, p${p * 100}`,
      unit: 's',
      rounds: [percentile(ms, p) / 1_000],
      goal: atMost === undefined ? null : { atMost },
    });
    return {
      name: 'seen-home',
      how: `${cycles} canaries at 50 %, ${lanes} at a time, each behind a Traefik with its default of 2 s (providersThrottleDuration) and ${perSecond} requests/s; each share is seen by 400 requests`,
      figures: [
        seconds('abort until the deployment has seen the traffic at home', seen(), 0.99, 5),
        seconds('abort until the deployment has seen the traffic at home', seen(), 0.5),
        seconds('abort until the last request that went to the candidate', last(), 0.99, 5),
        seconds('abort until the last request that went to the candidate', last(), 0.5),
        {
          what: `requests lost of ${took.reduce((sum, { sent }) => sum + sent, 0)}`,
          unit: '',
          rounds: [took.reduce((sum, { lost }) => sum + lost, 0)],
          goal: { atMost: 0 },
        },
      ],
    };
  });

/** One way home, ms since the order. */
interface Home {
  readonly seenMs: number;
  readonly lastMs: number;
  readonly sent: number;
  readonly lost: number;
}

/** What the canaries of one lane are of, one after the other. */
interface Shop {
  readonly spec: CanarySpec;
  readonly url: string;
  readonly close: () => Promise<void>;
}

async function openShop(service: RealService, namespace: TestNamespace, name: string): Promise<Shop> {
  const { startTraefik } = await import('../test/support/data-planes/traefik.ts');
  const pods = new CarelessPods(service, namespace);
  await pods.create(name, true, 2);
  await pods.serve(name, name);
  const { url, route, stop } = await startTraefik(namespace, { stable: name }, throttleMs);
  const spec: CanarySpec = {
    ...{ name, strategy: 'canary', target: 'k8s', workload: `${namespace.name}/${name}`, service: name },
    images: { app: 'app:v2' },
    route: { via: 'gateway-api', name: route },
    seen: { url, json: '/version', candidate: 'v2' },
    steps: [{ weight: 50, for: '1h' }, { weight: 100 }],
    ...{ every: '1s', drain: '3s', grace: '10s' },
  };
  return { spec, url, close: stop };
}

async function cycle(service: RealService, { spec, url }: Shop): Promise<Home> {
  const { id } = (await service.deploy(spec, randomUUID())).status;
  const requests = await sendRequests({ url, connections: 8, perSecond });
  try {
    await service.reaches(id, 'watching');
    const ordered = Date.now();
    await service.order(id, 'abort');
    await service.reaches(id, 'rolled-back');
    const { sent, failed, lost } = await requests.stop();
    const lastMs = (await lastOf(requests, 'v2', ordered, Date.now())) - ordered;
    const seenMs = (await undoneAt(service, id, 'weight-50')) - ordered;
    return { seenMs, lastMs, sent, lost: Object.values(failed).reduce((sum, count) => sum + count, lost) };
  } finally {
    await requests.end();
  }
}

/** When the last request was sent that this version has answered; by halves, epoch ms. */
async function lastOf(requests: Requests, version: string, from: number, to: number): Promise<number> {
  let [some, none] = [from, to];
  while (none - some > 1) {
    const middle = Math.floor((some + none) / 2);
    const { byVersion } = await requests.between(middle, to);
    if ((byVersion[version] ?? 0) > 0) some = middle;
    else none = middle;
  }
  return some;
}

/** When the undo of a stage was done, as the ledger has it, epoch ms; of a deployment that has ended, whose stream ends too. */
async function undoneAt(service: RealService, id: string, stage: string): Promise<number> {
  const stream = await (await fetch(`${service.address}/v1/deployments/${id}/events`)).text();
  const events = stream
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Partial<DeploymentEvent>); // messages of progress are others
  const undone = events.find((event) => event.kind === 'undo-ended' && event.stage === stage);
  if (undone?.at === undefined) throw new Error(`${id} does not say when ${stage} was taken back`);
  return undone.at;
}
