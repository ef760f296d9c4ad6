import { Worker } from 'node:worker_threads';
import { quantile, type Felt, type P99 } from '../../decisions/pace/share.ts';
import { staleMs } from '../../decisions/pace/signals.ts';
import type { ProbeSample, ProbeThreadInput } from '../sql/probe-thread.ts';
import type { Beside, LatencySource } from './latency-source.ts';

/** Samples of one kind, oldest first. */
export type Samples = readonly ProbeSample[];

/** What was measured without us, and beside our bursts at their present share. */
export interface Pools {
  readonly alone: Samples;
  readonly bursts: Samples;
}

/** How many samples make a p99, and how old the oldest may be, ms. */
const enough = { alone: 150, bursts: 300 } as const;
const keepMs = { alone: 300_000, bursts: 60_000 } as const;
/** Below this time span the samples beside our bursts are not pooled yet, ms. */
const spanMs = 10_000;
/** After a change, what is under way belongs to neither side, ms. */
const settleMs = 150;
/** How soon a thread that has ended is started again, ms. */
const againMs = 2_000;

/** A single row by its key, asked for some fifty times a second: what an application's statement would take. */
export class ProbeSource implements LatencySource {
  readonly name = 'our own probe';
  readonly rhythm = { firstMs: 700, offMs: 1_000, onMs: 11_000 };
  readonly errors = null;
  readonly #input: ProbeThreadInput;
  #thread: Worker | null = null;
  #closed = false;
  #turns: { readonly beside: Beside; readonly from: number }[] = [{ beside: 'other', from: 0 }];
  #alone: Samples;
  #bursts: Samples;
  #heardAt = Date.now();
  #again: NodeJS.Timeout | null = null;

  longestMs: number | null = null;

  constructor(input: ProbeThreadInput, { alone, bursts }: Pools) {
    this.#input = input;
    this.#alone = alone;
    this.#bursts = bursts;
    this.#start();
  }

  /** For whoever goes on after us. */
  get pools(): Pools {
    return { alone: this.#alone, bursts: this.#bursts };
  }

  turn(beside: Beside): void {
    if (beside === this.#turns.at(-1)?.beside) return;
    this.#turns = [...this.#turns.slice(-20), { beside, from: Date.now() }];
  }

  forget(): void {
    this.#bursts = [];
  }

  read(now: number): Felt {
    const alone = within(this.#alone, now - keepMs.alone);
    const bursts = within(this.#bursts, now - keepMs.bursts);
    return {
      alone: alone.length < enough.alone ? null : p99Of(alone),
      beside: bursts.length < enough.bursts || spanOf(bursts) < spanMs ? null : p99Of(bursts),
      blindBecause: now - this.#heardAt > staleMs ? `${this.name} gets no answer` : null,
    };
  }

  /** Sorts samples by what ran beside them. */
  take(samples: Samples): void {
    this.#heardAt = Date.now();
    const of = (beside: Beside): Samples => samples.filter(([at]) => this.#besideAt(at) === beside);
    const [alone, bursts] = [of('alone'), of('bursts')];
    this.#alone = [...within(this.#alone, this.#heardAt - keepMs.alone), ...alone];
    this.#bursts = [...within(this.#bursts, this.#heardAt - keepMs.bursts), ...bursts];
    if (bursts.length > 0) this.longestMs = Math.max(this.longestMs ?? 0, ...bursts.map(([, took]) => took));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#again !== null) clearTimeout(this.#again);
    await this.#thread?.terminate();
  }

  #besideAt(at: number): Beside {
    const turn = this.#turns.findLast(({ from }) => from <= at);
    return turn === undefined || at - turn.from < settleMs ? 'other' : turn.beside;
  }

  #start(): void {
    const thread = new Worker(new URL('../sql/probe-thread.ts', import.meta.url), { workerData: this.#input });
    this.#thread = thread;
    // only what `probe-thread.ts` posts arrives here
    thread.on('message', (samples: Samples) => this.take(samples));
    thread.on('error', () => undefined);
    thread.on('exit', () => {
      if (!this.#closed) this.#again = setTimeout(() => this.#start(), againMs);
    });
    thread.unref();
  }
}

const within = (samples: Samples, from: number): Samples => {
  const first = samples[0];
  return first === undefined || first[0] >= from ? samples : samples.filter(([at]) => at >= from);
};

/** From the first to the last, ms. */
const spanOf = (samples: Samples): number => (samples.at(-1)?.[0] ?? 0) - (samples[0]?.[0] ?? 0);

const p99Of = (samples: Samples): P99 | null => {
  const ms = quantile(
    samples.map(([, took]) => took),
    0.99,
  );
  return ms === null ? null : { ms, at: samples.at(-1)?.[0] ?? 0 };
};
