import { sleep } from '@temporalio/activity';
import type { Site } from '../../contracts/activities.ts';
import type { BackfillStage } from '../../contracts/plan.ts';
import { nextChunk, type PlannedChunk } from '../../decisions/pace/next-chunk.ts';
import type { Pace } from '../../decisions/pace/pace.ts';
import type { Chunk, ChunkWriter, Written } from './chunk-writer.ts';
import { sessionName } from './home.ts';
import type { LastChunk, Pacer } from './pacer.ts';
import type { ProgressTeller } from './progress-teller.ts';
import { openSession, type Session, type TargetConnection } from './session.ts';
import type { Shards } from './shards.ts';
import type { Striping } from './striping.ts';
import type { Vacuuming } from './vacuuming.ts';

/** What the lanes of one slice share. */
export interface Slice {
  readonly target: TargetConnection;
  readonly site: Site;
  readonly stage: BackfillStage;
  readonly shards: Shards;
  readonly pacer: Pacer;
  readonly striping: Striping;
  readonly vacuuming: Vacuuming;
  readonly teller: ProgressTeller;
  /** Epoch ms at which it hands back. */
  readonly until: number;
}

/**
 * Works on the shards over one connection, and over several while nobody else is in the database, nothing slows
 * it down and no rate is ordered. Answers the last pace; ends when all is done, time is over, an order pauses it or the barrier has changed.
 */
export async function workTogether(slice: Slice): Promise<string> {
  const { shards, stage } = slice;
  const count = Math.max(1, Math.min(stage.shards?.atMost ?? 1, shards.left));
  const lanes = Array.from({ length: count }, (_, index) => new Lane(slice, index > 0));
  const stop = (): void => {
    for (const lane of lanes) lane.stopped = true;
  };
  const ends = await Promise.allSettled(
    lanes.map((lane) =>
      lane.work().catch((error: unknown) => {
        stop();
        throw error;
      }),
    ),
  );
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return inOrder(lanes[0]?.reason ?? '', slice.striping);
}

const noChunk: LastChunk = { ms: null, rows: 0, pages: 0 };

/** One connection that takes a shard and works on it; an extra one only while there is nobody to give way to. */
class Lane {
  readonly #slice: Slice;
  readonly #extra: boolean;
  #session: Session | null = null;
  #last = noChunk;

  stopped = false;
  reason = 'nothing left to rewrite';

  constructor(slice: Slice, extra: boolean) {
    this.#slice = slice;
    this.#extra = extra;
  }

  async work(): Promise<void> {
    const { shards } = this.#slice;
    try {
      while (!this.#over && shards.left > 0) {
        const writer = this.#mayWork(shards.left) ? shards.take() : null;
        if (writer === null) {
          await sleep(100);
          continue;
        }
        try {
          await this.#goForward(writer);
          if (writer.atEnd) await this.#comeBack(writer);
        } finally {
          shards.giveBack(writer);
        }
      }
    } finally {
      await this.#session?.close();
    }
  }

  get #over(): boolean {
    const { shards, until } = this.#slice;
    return this.stopped || shards.changed || shards.paused || Date.now() >= until;
  }

  /** A chunk of another lane keeps what dies meanwhile from being pruned: then it must be over long before our next pass. */
  get #mostPages(): number {
    const { shards, stage } = this.#slice;
    return shards.workers > 1 ? Math.ceil(stage.superPages / 16) : stage.superPages;
  }

  #mayWork(left: number): boolean {
    const { pacer, shards } = this.#slice;
    if (!this.#extra) return true;
    return left > 1 && shards.rate === null && pacer.unhindered;
  }

  /** Chunk after chunk, each as large and as soon as the pace allows. */
  async #goForward(writer: ChunkWriter): Promise<void> {
    while (!writer.atEnd && !this.#over && this.#mayWork(2)) {
      const { pages, reason } = await this.#rest(writer);
      await this.#tell(reason);
      if (pages > 0) await this.#write(writer, pages);
      if (writer.betweenSuperChunks) await this.#clearIndexes(writer);
    }
  }

  /** Rests as long as the pace asks for; meanwhile it listens to orders and looks at the barrier. */
  async #rest(writer: ChunkWriter): Promise<Pace> {
    const { shards, striping, pacer } = this.#slice;
    if (await shards.watch()) await striping.watch();
    writer.inStripes(striping.plainBecause === null);
    const pace = await pacer.next({ last: this.#last, rate: shards.rate, page: writer.pageWork });
    if (pace.pages === 0) await writer.listen(await this.#open());
    return pace;
  }

  async #write(writer: ChunkWriter, pages: number): Promise<void> {
    const { striping } = this.#slice;
    // while it rested, an order or an application may have come
    if (this.#over || !this.#mayWork(2)) return;
    writer.inStripes(striping.plainBecause === null);
    const planned = nextChunk(writer.position, writer.ground, Math.min(pages, this.#mostPages));
    if (planned === null) return;
    const session = await this.#open();
    const started = performance.now();
    const written = await giveWay(session, writer, planned);
    this.#last = { ms: performance.now() - started, rows: written.rows, pages: planned.to - planned.from };
    await striping.measure(writer.shard, planned, written);
  }

  /** While pruning is held back nothing could be cleared. */
  async #clearIndexes(writer: ChunkWriter): Promise<void> {
    const { shards, striping, vacuuming, pacer } = this.#slice;
    if (striping.plainBecause !== null || !vacuuming.isDue(writer.name, shards.countOf(writer.heap))) return;
    await this.#tell('clears the indexes of dead entries');
    const session = await this.#open();
    const isOver = async (): Promise<boolean> => {
      await writer.listen(session);
      return this.#over;
    };
    await vacuuming.run(writer.name, { hindered: () => !pacer.unhindered, isOver });
  }

  /** At the end, the pages that were put aside: once, then whatever else there is to do comes first. */
  async #comeBack(writer: ChunkWriter): Promise<void> {
    if (writer.deferred === 0 || this.#over) return;
    const { pages, reason } = await this.#rest(writer);
    if (pages > 0) await this.#sweep(writer);
    await this.#tell(pages > 0 ? 'waits for rows that the application holds' : reason);
    if (writer.deferred > 0) await sleep(250);
  }

  async #sweep(writer: ChunkWriter): Promise<void> {
    const session = await this.#open();
    const started = performance.now();
    await writer.sweep(session);
    this.#last = { ms: performance.now() - started, rows: 0, pages: 0 };
  }

  async #tell(reason: string): Promise<void> {
    const { shards, striping, teller } = this.#slice;
    this.reason = reason;
    await teller.tell(shards.total, shards.share, inOrder(reason, striping));
  }

  async #open(): Promise<Session> {
    if (this.#session !== null) return this.#session;
    const { target, site, stage } = this.#slice;
    this.#session = await openSession(target, sessionName(site));
    for (const { sql } of stage.session) await this.#session.query(sql);
    return this.#session;
  }
}

const inOrder = (reason: string, { plainBecause }: Striping): string =>
  plainBecause === null ? reason : `${reason}, in plain order: ${plainBecause}`;

/** The application holds a row: three tries, then half the chunk, at last a single page is put aside for later. */
async function giveWay(session: Session, writer: ChunkWriter, planned: PlannedChunk): Promise<Written> {
  let chunk: Chunk = planned;
  for (let tries = 1; ; tries++) {
    const written = await writer.write(session, chunk);
    if (written !== null) return written;
    await sleep(5 + Math.random() * 20 * tries);
    if (tries % 3 !== 0) continue;
    if (chunk.to - chunk.from <= 1) {
      await writer.defer(session, chunk);
      return { rows: 0, hot: 0 };
    }
    const to = chunk.from + Math.floor((chunk.to - chunk.from) / 2);
    chunk = { ...chunk, to, next: { page: to, pass: chunk.pass } };
  }
}
