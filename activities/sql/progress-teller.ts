import { heartbeat } from '@temporalio/activity';
import type { LiveProgress } from '../../contracts/events.ts';

/** Shows the progress of the moment to whoever watches. It may fail without harm: the watermark is the truth. */
export type TellProgress = (progress: LiveProgress) => Promise<void>;

const everyMs = 500;

/** Heartbeats and tells the progress at a bounded pace, with a rate over the last seconds. */
export class ProgressTeller {
  readonly #id: string;
  readonly #stage: string;
  readonly #tell: TellProgress;
  readonly #rowsInAll: number | null;
  #toldAt = 0;
  #marks: { readonly at: number; readonly rows: number; readonly share: number }[] = [];

  constructor(id: string, stage: string, tell: TellProgress, rowsInAll: number | null) {
    this.#id = id;
    this.#stage = stage;
    this.#tell = tell;
    this.#rowsInAll = rowsInAll;
  }

  async tell(rows: number, share: number, pace: string): Promise<void> {
    if (Date.now() - this.#toldAt < everyMs) return;
    await this.last(rows, share, pace);
  }

  /** Tells at once, for the end of a slice. */
  async last(rows: number, share: number, pace: string): Promise<void> {
    const now = Date.now();
    this.#toldAt = now;
    this.#marks = [...this.#marks.filter(({ at }) => now - at < 5_000), { at: now, rows, share }];
    const first = this.#marks[0];
    const seconds = first === undefined ? 0 : (now - first.at) / 1_000;
    const measured = first !== undefined && seconds > 0.4;
    const perSecond = measured ? (share - first.share) / seconds : 0;
    heartbeat({ rows, share });
    const progress: LiveProgress = {
      id: this.#id,
      stage: this.#stage,
      rows,
      totalRows: this.#rowsInAll,
      rate: measured ? Math.round((rows - first.rows) / seconds) : null,
      secondsToGo: perSecond > 0 ? Math.round((1 - share) / perSecond) : null,
      pace,
      at: now,
    };
    await this.#tell(progress).catch(() => undefined);
  }
}
