import type { V1Pod } from '@kubernetes/client-node';
import type { RecreateSpec } from '../../contracts/release-spec.ts';
import { describeOnKubernetes } from '../support/kubernetes/cluster.ts';
import { Releases } from '../support/kubernetes/releases.ts';

const uidOf = ({ metadata }: V1Pod): string => metadata?.uid ?? '';
/** Longer than a controller takes to make new pods. */
const endsAfterMs = 3_000;

describeOnKubernetes('a restart with downtime', () => {
  let releases: Releases;
  beforeAll(async () => {
    releases = await Releases.open();
  }, 60_000);
  afterAll(() => releases.close(), 60_000);

  /** Their pods take time to end. */
  const running = (name: string) =>
    releases.running(name, {
      env: { DRAIN_MS: String(endsAfterMs) },
      pod: { terminationGracePeriodSeconds: 10 },
    });
  async function approved(name: string, image = 'app:v2'): Promise<string> {
    const spec: RecreateSpec = {
      name,
      strategy: 'recreate',
      target: 'k8s',
      workload: releases.at(name),
      images: { app: image },
      accept: 'downtime',
      grace: '10s',
      deadline: '3s',
    };
    const id = await releases.start(spec);
    await releases.service.reaches(id, 'waiting-for-approval');
    await releases.service.approve(id);
    return id;
  }

  /** Looks at the pods until it is told to stop: whether there were some, some that end, or both at once. */
  function watching(name: string) {
    const together = new Set<string>();
    let before: ReadonlySet<string> = new Set();
    const stop = new AbortController();
    const looks = (async () => {
      while (!stop.signal.aborted) {
        const pods = await releases.podsOf(name);
        const ending = pods.some(({ metadata }) => metadata?.deletionTimestamp !== undefined);
        if (!ending) before = new Set(pods.map(uidOf));
        // a controller tells its pods to end one after the other: those of before are not new beside them
        const coming = pods.some(
          (pod) => pod.metadata?.deletionTimestamp === undefined && !(ending && before.has(uidOf(pod))),
        );
        together.add([ending ? 'ending' : '', coming ? 'there' : ''].filter((word) => word !== '').join(' and '));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    return async (): Promise<readonly string[]> => {
      stop.abort();
      await looks;
      return [...together].sort();
    };
  }

  test('starts no new pod before the last old one has ended, and says how long nobody served', async () => {
    await running('plain');
    const seen = watching('plain');
    const id = await approved('plain');
    await releases.service.reaches(id, 'deployed');
    expect(await seen()).toEqual(['', 'ending', 'there']);
    expect(await releases.imageOf('plain')).toBe('app:v2');
    const { stages } = (await releases.service.view(id)).status.progress;
    expect(stages.map(({ note }) => note)).toEqual([
      'there are no pods',
      expect.stringMatching(/^all 3 pods are new and ready; nobody served for \d+\.\d s$/),
    ]);
  }, 90_000);

  test('that is aborted while its pods end, or whose new pods do not come, starts none of before beside others', async () => {
    await Promise.all(['aborted', 'missing'].map(running));
    const seen = [watching('aborted'), watching('missing')] as const;
    const [aborted, missing] = [await approved('aborted'), await approved('missing', 'missing/app:v2')];
    await releases.service.until('pods that end', async () =>
      (await releases.podsOf('aborted')).some(({ metadata }) => metadata?.deletionTimestamp !== undefined)
        ? true
        : null,
    );
    await releases.order(aborted, 'abort');
    for (const id of [aborted, missing]) await releases.service.reaches(id, 'rolled-back');
    for (const look of seen) expect(await look()).not.toContain('ending and there');
    for (const name of ['aborted', 'missing']) {
      expect(await releases.imageOf(name)).toBe('app:v1');
      expect((await releases.deployment(name)).status?.availableReplicas).toBe(3);
    }
  }, 90_000);
});
