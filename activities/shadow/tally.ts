import { latencyBoundsMs, type ShadowFacts } from '../../contracts/shadow.ts';
import { compareAnswers, type Rules } from './compare-answers.ts';
import type { Asked } from './ask-side.ts';

/** What one request has come to; `again`: the second answer of the stable side, null: it was asked once. */
export interface Compared {
  readonly stable: Asked;
  readonly candidate: Asked;
  readonly again: Asked | null;
}

/** So many pointers are counted each by itself; more are counted together, so that nothing grows without bound. */
const mostPointers = 50;
const others = 'others';

/** Counts what is compared. */
export class Tally {
  readonly #rules: Rules;
  readonly #differs = new Map<string, number>();
  readonly #noise = new Map<string, number>();
  readonly #latency = { stable: histogram(), candidate: histogram() };
  #counts = { compared: 0, agreed: 0, silent: 0 };

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  get compared(): number {
    return this.#counts.compared;
  }

  get facts(): Omit<ShadowFacts, 'requests' | 'next'> {
    return {
      ...this.#counts,
      differs: Object.fromEntries(this.#differs),
      noise: Object.fromEntries(this.#noise),
      latency: this.#latency,
    };
  }

  /** A request that the stable side has not answered tells nothing of the candidate. */
  add({ stable, candidate, again }: Compared): void {
    if (isSilent(stable) || (again !== null && isSilent(again))) {
      this.#counts.silent += 1;
      return;
    }
    count(this.#latency.stable, stable.ms);
    // how quickly it refuses says nothing of how quickly it answers
    if (candidate.answer !== null) count(this.#latency.candidate, candidate.ms);
    this.#note(this.#between(stable, candidate), again === null ? [] : this.#between(stable, again));
  }

  #note(differing: readonly string[], noisy: readonly string[]): void {
    const counting = differing.filter((at) => !noisy.includes(at));
    for (const at of noisy) raise(this.#noise, at);
    for (const at of counting) raise(this.#differs, at);
    this.#counts.compared += 1;
    this.#counts.agreed += counting.length === 0 ? 1 : 0;
  }

  #between({ answer: one }: Asked, { answer: other }: Asked): readonly string[] {
    return one === null || other === null ? ['no answer'] : compareAnswers(one, other, this.#rules);
  }
}

const isSilent = ({ answer }: Asked): boolean => answer === null || answer.status >= 500;

const histogram = (): number[] => Array.from({ length: latencyBoundsMs.length + 1 }, () => 0);

function count(counts: number[], ms: number): void {
  const found = latencyBoundsMs.findIndex((bound) => ms <= bound);
  const place = found < 0 ? latencyBoundsMs.length : found;
  counts[place] = (counts[place] ?? 0) + 1;
}

function raise(counts: Map<string, number>, pointer: string): void {
  const at = counts.has(pointer) || counts.size < mostPointers ? pointer : others;
  counts.set(at, (counts.get(at) ?? 0) + 1);
}
