import type { Figure } from './figures.ts';
import type { Released } from './released-under-load.ts';

/** How one release is done; `image` is another one each time. */
export interface Way {
  readonly name: string;
  readonly release: (image: string) => Promise<Released>;
}

/** Ours against theirs, in turns, as often as said; each way once before, so that none of them is the first. */
export async function againstOthers(
  ours: Way,
  theirs: readonly Way[],
  rounds: number,
  say: (line: string) => void,
): Promise<readonly Figure[]> {
  const ways = [ours, ...theirs];
  const results = new Map<string, Released[]>(ways.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, release } of turned(ways, round)) {
      const released = await release(`app:v${round + 2}`);
      const { seconds, lost, sent } = released;
      say(`${round === 0 ? 'before' : `round ${round}`}: ${name} ${seconds.toFixed(2)} s, ${lost} of ${sent} lost`);
      if (round > 0) results.get(name)?.push(released);
    }
  }
  const of = (name: string, value: (released: Released) => number): number[] => (results.get(name) ?? []).map(value);
  const seconds = (name: string): number[] => of(name, (released) => released.seconds);
  return [
    ...ways.map(({ name }) => ({ what: `${name}: until it is done`, unit: 's', rounds: seconds(name), goal: null })),
    ...theirs.map(({ name }) => ({
      what: `ours beyond ${name}`,
      unit: 's',
      rounds: seconds(ours.name).map((own, round) => own - (seconds(name)[round] ?? NaN)),
      goal: null,
    })),
    ...ways.map(({ name }) => ({
      what: `${name}: requests lost of ${Math.round(mean(of(name, ({ sent }) => sent)))}`,
      unit: '',
      rounds: of(name, ({ lost }) => lost),
      goal: name === ours.name ? { atMost: 0 } : null,
    })),
  ];
}

/** Another one begins each round. */
const turned = <T>(items: readonly T[], by: number): readonly T[] => {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
