import { sleep } from '@temporalio/activity';
import type { Site } from '../../contracts/activities.ts';
import type { BackfillStage } from '../../contracts/plan.ts';
import type { Felt } from '../../contracts/progress.ts';
import type { PageWork } from '../../decisions/pace/burst.ts';
import { pace, type Pace } from '../../decisions/pace/pace.ts';
import { quantile } from '../../decisions/pace/share.ts';
import { brakesOf, staleMs, type Brake } from '../../decisions/pace/signals.ts';
import { openSource, type FindMetrics } from '../metrics/index.ts';
import { emptyMemory, Protector, type Memory } from '../metrics/protector.ts';
import { sessionName } from './home.ts';
import { LoadWatch } from './load-watch.ts';
import type { TargetConnection } from './session.ts';

/** What the last chunk of a lane was like; the first has none. */
export interface LastChunk {
  readonly ms: number | null;
  readonly rows: number;
  readonly pages: number;
}

/** What a lane knows when it asks for its next chunk. */
export interface Asking {
  readonly last: LastChunk;
  /** Rows per second at the most; null: unbounded. */
  readonly rate: number | null;
  /** What one page of the coming pass asks for. */
  readonly page: PageWork;
}

/** What a worker remembers of the backfills that it works on, and where it finds metrics sources. */
export interface PacerContext {
  readonly metrics: FindMetrics;
  readonly memories: Map<string, Memory>;
}

/** Timers do not sleep shorter than this, ms. */
const shortestSleepMs = 0.9;

/**
 * Says how large the next chunk of a backfill is, and rests before it: it watches the target and the application. There
 * is one for all lanes of a slice: beside an application, or under a brake, only one of them may ask.
 */
export class Pacer {
  readonly #stage: BackfillStage;
  readonly #load: LoadWatch;
  readonly #protector: Protector;
  readonly #forget: () => void;
  /** What the next slice on this worker goes on from. */
  readonly memory: Memory;
  #commitsAlone: readonly { readonly at: number; readonly ms: number }[] = [];
  #owedMs = 0;
  #steady = true;

  private constructor(stage: BackfillStage, load: LoadWatch, protector: Protector, memory: Memory, forget: () => void) {
    this.memory = memory;
    this.#stage = stage;
    this.#load = load;
    this.#protector = protector;
    this.#forget = forget;
  }

  /** `quiet`: this backfill has not written a row yet. */
  static async open(
    target: TargetConnection,
    { site, stage, quiet }: { readonly site: Site; readonly stage: BackfillStage; readonly quiet: boolean },
    { metrics, memories }: PacerContext,
  ): Promise<Pacer> {
    const memory = memories.get(site.deployment) ?? emptyMemory();
    memories.set(site.deployment, memory);
    const protect = stage.protect ?? null;
    const protector = new Protector(
      protect,
      () =>
        protect === null
          ? null
          : openSource(protect.by, {
              url: target.url,
              applicationName: sessionName(site),
              deployment: site.deployment,
              metrics,
              quiet,
              alone: memory.alone,
              pools: memory.pools,
            }),
      memory,
    );
    const load = new LoadWatch(target, site, stage);
    await load.start();
    return new Pacer(stage, load, protector, memory, () => memories.delete(site.deployment));
  }

  /** Nobody to give way to and nothing to slow down for, as far as was seen: several lanes may write at once. */
  get unhindered(): boolean {
    const now = Date.now();
    return !this.#someone(now) && this.#brakes(now).length === 0;
  }

  /** Rests as long as it takes, and says how many pages come next (0: none, ask again) and why. */
  async next({ last, rate, page }: Asking): Promise<Pace> {
    const now = Date.now();
    this.#protector.tick(now, { someone: this.#someone(now), steady: this.#steady });
    const { share, offWindow } = this.#protector;
    const brakes = this.#brakes(now);
    this.#steady = brakes.every((brake) => brake.share >= share.value) && rate === null;
    const pacing = pace({
      now,
      busy: this.#load.signals.busy,
      share,
      brakes,
      offWindow,
      rate,
      chunkMs: last.ms,
      chunkRows: last.rows,
      chunkPages: last.pages,
      page,
      superPages: this.#stage.superPages,
    });
    await this.#rest(pacing.restMs);
    return pacing;
  }

  /** What the application felt while this watched. */
  felt(): Felt {
    return { ...this.#protector.felt(), ...this.#load.counted };
  }

  /** For how long nobody could tell the application's p99, ms, and why. */
  blind(): { readonly ms: number; readonly because: string | null } {
    return this.#protector.blindFor(Date.now());
  }

  /** The backfill is over: what this worker remembers of it is of no use any more. */
  forget(): void {
    this.#forget();
  }

  async close(): Promise<void> {
    await Promise.all([this.#load.close(), this.#protector.close()]);
  }

  /** The middle of the commits in the latest windows without us; null until there are three. */
  #commitAlone(offWindow: boolean): number | null {
    const { commitMs } = this.#load.signals;
    const seen = this.#commitsAlone;
    if (offWindow && typeof commitMs?.value === 'number' && seen.at(-1)?.at !== commitMs.at) {
      this.#commitsAlone = [...seen.slice(-14), { at: commitMs.at, ms: commitMs.value }];
    }
    const values = this.#commitsAlone.map(({ ms }) => ms);
    return values.length < 3 ? null : quantile(values, 0.5);
  }

  /** An application is there, or nobody could look. */
  #someone(now: number): boolean {
    const { busy } = this.#load.signals;
    return busy.value !== 0 || now - busy.at > staleMs;
  }

  #brakes(now: number): readonly Brake[] {
    const { share, offWindow } = this.#protector;
    const commitAloneMs = this.#commitAlone(offWindow);
    return brakesOf(this.#load.signals, now, { measured: share.measured, commitAloneMs });
  }

  /** A timer's grain is a millisecond and a burst is shorter: what was not slept is owed, what was overslept is paid. */
  async #rest(ms: number): Promise<void> {
    this.#owedMs = Math.min(1_000, this.#owedMs + ms);
    if (this.#owedMs < shortestSleepMs) return;
    const started = performance.now();
    await sleep(this.#owedMs);
    this.#owedMs = Math.max(-5, this.#owedMs - (performance.now() - started));
  }
}
