import { ApplicationFailure } from '@temporalio/common';
import type { Site } from '../../contracts/activities.ts';
import type { Row } from '../../contracts/json.ts';
import type { BackfillStage } from '../../contracts/plan.ts';
import { guardOf, type Heap } from '../../decisions/pace/barrier.ts';
import type { HeapCount } from '../../decisions/pace/vacuum.ts';
import { failure } from '../failures.ts';
import type { ChunkWriter, Steering } from './chunk-writer.ts';
import { fenced, holdFence, home, openHome, takeFence } from './home.ts';
import { inTransaction, textOf, type Session } from './session.ts';
import { differenceOf, ShardRows } from './shard-rows.ts';

/** How often the barrier is looked at while chunks run, ms. */
const everyMs = 1_000;

/**
 * One attempt's hold on a whole backfill: the fence over all its shards, and what their work rests on. A heap that was
 * rewritten, or whose trigger was touched, is gone over again; one that came in mid-flight gets shards of its own.
 */
export class Shards {
  readonly #control: Session;
  readonly #site: Site;
  readonly #stage: BackfillStage;
  readonly #fence: number;
  readonly #steering: Steering;
  readonly #rows: ShardRows;
  readonly #taken = new Set<ChunkWriter>();
  #writers: readonly ChunkWriter[] = [];
  #lookedAt = performance.now();

  /** Something is no longer as it was: what runs has to stop, and `settle` has to be called. */
  changed = false;
  /** What was gone over again, and why. */
  readonly notes: string[] = [];

  private constructor(control: Session, site: Site, stage: BackfillStage, fence: number) {
    this.#control = control;
    this.#site = site;
    this.#stage = stage;
    this.#fence = fence;
    this.#steering = { paused: false, rate: stage.rate, planned: stage.rate };
    this.#rows = new ShardRows({ control, site, stage, fence, steering: this.#steering });
  }

  /** Takes the fence for every shard there is, and makes the shards the first time of all: after the barrier. */
  static async open(control: Session, site: Site, stage: BackfillStage): Promise<Shards> {
    await inTransaction(control, () => openHome(control, site));
    const shards = new Shards(control, site, stage, await takeFence(control, site));
    await control.query(
      `UPDATE ${home(site)}.progress SET fence = $2 WHERE deployment = $1 AND stage = 'backfill' AND fence <= $2`,
      [site.deployment, shards.#fence],
    );
    await shards.settle();
    return shards;
  }

  get total(): number {
    return this.#sum(({ total }) => total);
  }

  get deferred(): number {
    return this.#sum(({ deferred }) => deferred);
  }

  get share(): number {
    const pages = this.#sum((writer) => writer.pages);
    return pages === 0 ? 1 : this.#sum((writer) => writer.pagesDone) / pages;
  }

  get finished(): boolean {
    return this.#writers.every(({ finished }) => finished);
  }

  get paused(): boolean {
    return this.#steering.paused;
  }

  /** Rows per second at the most, by order or plan; null: unbounded. */
  get rate(): number | null {
    return this.#steering.rate;
  }

  /** Share of the rewritten rows that touched no index; null: not measured. */
  get hotShare(): number | null {
    const counted = this.#stage.shards !== undefined && this.total > 0;
    return counted ? Math.round((this.#sum(({ hot }) => hot) / this.total) * 1_000) / 1_000 : null;
  }

  /** How many rows of a heap there are, and how many of them left their page. */
  countOf(heap: string): HeapCount {
    const writers = this.#writers.filter((writer) => writer.heap === heap);
    const sum = (of: (writer: ChunkWriter) => number): number => writers.reduce((all, writer) => all + of(writer), 0);
    return { rows: sum(({ pages }) => pages) * this.#stage.rowsPerPage, cold: sum(({ total, hot }) => total - hot) };
  }

  /** How many shards are left, those that somebody works on too. */
  get left(): number {
    return this.#writers.filter(({ finished }) => !finished).length;
  }

  /** How many shards are being worked on. */
  get workers(): number {
    return this.#taken.size;
  }

  /** A shard that nobody works on: first those with pages left, then those that put some aside. */
  take(): ChunkWriter | null {
    const free = this.#writers.filter((writer) => !writer.finished && !this.#taken.has(writer));
    const writer = free.find(({ atEnd }) => !atEnd) ?? free[0] ?? null;
    if (writer !== null) this.#taken.add(writer);
    return writer;
  }

  giveBack(writer: ChunkWriter): void {
    this.#taken.delete(writer);
  }

  /** Looks at the barrier once a second; false, and cheap, in between. */
  async watch(): Promise<boolean> {
    if (this.changed || performance.now() - this.#lookedAt < everyMs) return false;
    this.#lookedAt = performance.now();
    const heaps = await this.#heaps();
    const known = new Set(this.#writers.map(({ heap }) => heap));
    this.changed ||=
      heaps.some((heap) => !known.has(heap.heap)) ||
      this.#writers.some((writer) => differenceOf(writer, heaps).kind !== 'none');
    return true;
  }

  /**
   * Brings the shards in line with the heaps there are, while nobody works on them. Filenodes and the trigger's row are
   * never again what they were before: equal at the end of a slice means untouched all through it. True: there is more
   * to do than before.
   */
  async settle(): Promise<boolean> {
    const heaps = await this.#heaps();
    const more = await inTransaction(this.#control, async () => {
      await holdFence(this.#control, this.#site, this.#fence);
      const changes = await this.#rows.settle(heaps, this.notes);
      this.#writers = await this.#rows.read();
      return changes;
    });
    this.changed = false;
    this.#lookedAt = performance.now();
    return more;
  }

  /** Runs work on the shards; where it fails because something is not as expected, that is what is said. */
  async trusting<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ApplicationFailure && error.type === 'SQL_FAILED') await this.settle();
      throw error;
    }
  }

  /** Makes sure that what was committed without waiting for the disk is there before anybody believes it. */
  async flush(): Promise<void> {
    const rows = await this.#control.query(
      `UPDATE ${home(this.#site)}.progress SET updated_at = clock_timestamp() WHERE deployment = $1 AND stage = 'backfill' AND fence = $2 RETURNING shard`,
      [this.#site.deployment, this.#fence],
    );
    if (rows.length < this.#writers.length) throw fenced(this.#site);
  }

  async #heaps(): Promise<readonly Heap[]> {
    const rows = await this.#control.query(this.#stage.barrier.sql);
    if (rows.length === 0) throw failure('TARGET_DRIFTED', 'the table is gone');
    const heaps = rows.filter((row) => row['heap'] !== null).map(heapOf);
    const fault = heaps.find((heap) => heap.fault !== null)?.fault;
    if (fault !== undefined && fault !== null) throw failure('TARGET_DRIFTED', fault);
    return heaps;
  }

  #sum(of: (writer: ChunkWriter) => number): number {
    return this.#writers.reduce((sum, writer) => sum + of(writer), 0);
  }
}

const heapOf = (row: Row): Heap => ({
  heap: textOf(row['heap']),
  name: textOf(row['name']),
  pages: Number(row['pages']),
  filenode: textOf(row['filenode']),
  fault: faultOf(row),
  guard: guardOf(row['guard']),
});

/** Plans made before shards only say that something is wrong. */
const faultOf = (row: Row): string | null => {
  if (row['guarded'] === true) return null;
  const fault = textOf(row['fault']);
  return fault === '' ? 'our trigger or a new column is gone, or the trigger is disabled' : fault;
};
