import type { Felt } from '../../contracts/progress.ts';
import type { Protection } from '../../contracts/protection.ts';
import { windowAt, type Window } from '../../decisions/pace/rhythm.ts';
import { blindLimitMs, firstShare, steerShare, type P99, type Share } from '../../decisions/pace/share.ts';
import type { Beside, LatencySource } from './latency-source.ts';
import { ProbeSource, type Pools } from './probe.ts';

/** What the next slice of the same backfill on this worker goes on from; without it, it begins cautiously anew. */
export interface Memory {
  share: number;
  /** What the share follows from, as it was measured; null: nothing has been yet. */
  because: string | null;
  alone: P99 | null;
  pools: Pools;
  blindSince: number | null;
  errors: number | null;
  readonly vacuum: VacuumMemory;
}

/** What is remembered of the vacuums of a backfill. */
export interface VacuumMemory {
  /** One took longer than a backfill waits for it. */
  tooLong: boolean;
  /** One runs beside the bursts at present. */
  running: boolean;
  /** How many rows of a heap had left their page when its last one was due. */
  readonly cold: Map<string, number>;
}

/** What a worker knows of a backfill that it has not worked on yet. */
export const emptyMemory = (): Memory => ({
  share: firstShare,
  because: null,
  alone: null,
  pools: { alone: [], bursts: [] },
  blindSince: null,
  errors: null,
  vacuum: { tooLong: false, running: false, cold: new Map() },
});

/** What happens at the moment. */
export interface Situation {
  /** An application is there, or nobody could look. */
  readonly someone: boolean;
  /** Bursts run at the share that the control allows: no brake, no bound holds them back further. */
  readonly steady: boolean;
}

const everyMs = 250;
/** What cannot be measured is said, and the share stays where it was measured to be bearable. */
const unmeasured: Share = { value: firstShare, reason: 'the application is not measured', measured: false };

/** Keeps the application's p99 under its bound: windows without us, a live baseline, a slow control of our share. */
export class Protector {
  readonly #protection: Protection | null;
  readonly #open: () => LatencySource | null;
  readonly #memory: Memory;
  #source: LatencySource | null = null;
  #window: Window | null = null;
  #tickedAt = 0;
  #sums = { alone: 0, beside: 0, ms: 0 };
  #errorsFrom: number | null;

  share: Share;

  constructor(protection: Protection | null, open: () => LatencySource | null, memory: Memory) {
    this.#protection = protection;
    this.#open = open;
    this.#memory = memory;
    this.#errorsFrom = memory.errors;
    this.share =
      protection === null ? unmeasured : { ...unmeasured, reason: 'the measuring begins', value: firstShare };
  }

  /** In a window in which the application is looked at without us. */
  get offWindow(): boolean {
    return this.#window?.off === true;
  }

  /** Cheap unless a moment has passed. */
  tick(now: number, situation: Situation): void {
    if (this.#protection === null || now - this.#tickedAt < everyMs) return;
    const passedMs = this.#tickedAt === 0 ? 0 : Math.min(1_000, now - this.#tickedAt);
    this.#tickedAt = now;
    if (situation.someone) this.#beside(this.#protection, now, passedMs, situation.steady);
    else this.#source?.turn('other');
  }

  #beside(protection: Protection, now: number, passedMs: number, steady: boolean): void {
    this.#source ??= this.#open();
    if (this.#source === null) this.#blind(now, `the worker knows no metrics source ${sourceOf(protection)}`);
    else this.#steer(this.#source, protection.p99, now, passedMs, steady);
  }

  /** For how long there has been no data, ms, and why. */
  blindFor(now: number): { readonly ms: number; readonly because: string | null } {
    const since = this.#memory.blindSince;
    return since === null ? { ms: 0, because: null } : { ms: now - since, because: this.share.reason };
  }

  /** What the application felt, as far as this was measured. */
  felt(): Pick<Felt, 'by' | 'p99AloneMs' | 'p99BesideMs' | 'measuredMs' | 'longestMs' | 'errors'> {
    const { alone, beside, ms } = this.#sums;
    const source = this.#source;
    return {
      by: source?.name ?? null,
      ...(ms === 0 ? { p99AloneMs: null, p99BesideMs: null } : { p99AloneMs: alone / ms, p99BesideMs: beside / ms }),
      measuredMs: ms,
      longestMs: source?.longestMs ?? null,
      errors: this.#errorsSince(source?.errors ?? null),
    };
  }

  /** A counter that has gone back was begun anew: what it had counted is not known. */
  #errorsSince(errors: number | null): number | null {
    const from = this.#errorsFrom;
    return errors === null || from === null || errors < from ? null : errors - from;
  }

  async close(): Promise<void> {
    if (this.#source instanceof ProbeSource) this.#memory.pools = this.#source.pools;
    this.#memory.errors = this.#source?.errors ?? null;
    // a person is called now; who says to go on shall not be called again at once
    if (this.blindFor(Date.now()).ms >= blindLimitMs) this.#memory.blindSince = null;
    await this.#source?.close();
  }

  #steer(source: LatencySource, bound: number, now: number, passedMs: number, steady: boolean): void {
    this.#errorsFrom ??= source.errors;
    const felt = source.read(now);
    this.#memory.alone = felt.alone;
    this.#window = windowAt(this.#window, source.rhythm, felt.alone !== null, now);
    source.turn(this.#besideIn(this.#window, steady));
    this.share = steerShare(this.#memory.share, felt, bound, now);
    if (felt.blindBecause !== null) {
      this.#memory.share = this.share.value;
      this.#memory.blindSince ??= now;
      return;
    }
    this.#memory.blindSince = null;
    if (!this.share.measured) {
      this.#sayWhy(felt.alone);
      return;
    }
    this.#memory.because = this.share.reason;
    this.#add(felt.alone, felt.beside, passedMs);
    if (this.share.value !== this.#memory.share) source.forget();
    this.#memory.share = this.share.value;
  }

  /** Until the next measurement at the present share, the last one is why it is what it is. */
  #sayWhy(alone: P99 | null): void {
    if (alone !== null) this.share = { ...this.share, reason: this.#memory.because ?? this.share.reason };
  }

  /** A vacuum of ours goes on in a window without bursts: the application is not alone then. */
  #besideIn({ off }: Window, steady: boolean): Beside {
    if (off) return this.#memory.vacuum.running ? 'other' : 'alone';
    return steady ? 'bursts' : 'other';
  }

  #add(alone: P99 | null, beside: P99 | null, ms: number): void {
    if (alone === null || beside === null) return;
    this.#sums.alone += alone.ms * ms;
    this.#sums.beside += beside.ms * ms;
    this.#sums.ms += ms;
  }

  #blind(now: number, because: string): void {
    this.#memory.blindSince ??= now;
    this.share = steerShare(this.#memory.share, { alone: null, beside: null, blindBecause: because }, 1, now);
  }
}

const sourceOf = ({ by }: Protection): string => (by.kind === 'metrics' ? by.source : by.kind);
