import type { V1Container } from '@kubernetes/client-node';

/** What a container does; its image and its environment say so. Times are in ms. */
export interface Behaviour {
  /** Tag of the image. */
  readonly version: string;
  /** Why it can't even be started; null: it can. */
  readonly stuck: { readonly reason: string; readonly message: string } | null;
  /** LATENCY_MS: before each answer. */
  readonly latencyMs: number;
  /** FAIL_RATE: part of the answers, 0 to 1, that are a 500; evenly spread, not drawn. */
  readonly failRate: number;
  /** ANSWER, and after it ANSWER_v2 of version v2: further members of each answer. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** COUNTS: each answer has `asked`, the number of those before it. */
  readonly counts: boolean;
  /** FORWARDS_TO: a port of this machine whose server answers instead; null: none does. */
  readonly forwardsTo: number | null;
  /** REFUSES: nobody listens, though the pod is ready. */
  readonly refuses: boolean;
  /** READY_AFTER_MS: after its start; null (NEVER_READY): never. */
  readonly readyAfterMs: number | null;
  /** DIES_AFTER_MS: after its start, with exit code 1; null: it lives on. */
  readonly diesAfterMs: number | null;
  /** DRAIN_MS: how long it goes on serving when it is asked to end; null: as long as it may. */
  readonly drainMs: number | null;
}

/** What the environment of both sides can't say, for it is the same: an image of `slow/…` answers late, nobody listens in one of `deaf/…`. */
const slowMs = 400;

/** Reads the behaviour of a container: `app:v1` answers as v1, an image `missing/…` can't be pulled. */
export function behaviourOf({ image = '', env = [] }: V1Container): Behaviour {
  const given = new Map(env.map(({ name, value }) => [name, value ?? '']));
  const read = (name: string): number | null => (given.has(name) ? Number(given.get(name)) : null);
  const numbers = ['LATENCY_MS', 'FAIL_RATE', 'READY_AFTER_MS', 'DIES_AFTER_MS', 'DRAIN_MS', 'FORWARDS_TO'];
  const wrong = numbers.find((name) => Number.isNaN(read(name)));
  const version = /:([^/:]+)$/.exec(image)?.[1] ?? 'latest';
  const members = (name: string) => JSON.parse(given.get(name) ?? '{}') as Readonly<Record<string, unknown>>; // a test wrote it
  return {
    version,
    answer: { ...members('ANSWER'), ...members(`ANSWER_${version}`) },
    counts: given.get('COUNTS') === '1',
    stuck: image.startsWith('missing/')
      ? { reason: 'ErrImagePull', message: `failed to pull image "${image}": not found` }
      : wrong === undefined
        ? null
        : { reason: 'CreateContainerConfigError', message: `${wrong} is not a number` },
    latencyMs: read('LATENCY_MS') ?? (image.startsWith('slow/') ? slowMs : 0),
    failRate: read('FAIL_RATE') ?? 0,
    forwardsTo: read('FORWARDS_TO'),
    refuses: given.get('REFUSES') === '1' || image.startsWith('deaf/'),
    readyAfterMs: given.get('NEVER_READY') === '1' ? null : (read('READY_AFTER_MS') ?? 0),
    diesAfterMs: read('DIES_AFTER_MS'),
    drainMs: read('DRAIN_MS'),
  };
}
