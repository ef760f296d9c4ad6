import type { Site } from '../../contracts/activities.ts';
import type { BackfillStage } from '../../contracts/plan.ts';
import { compare, type Difference, type Heap } from '../../decisions/pace/barrier.ts';
import { rangeCount, rangesOf } from '../../decisions/pace/ranges.ts';
import { failure } from '../failures.ts';
import { ChunkWriter, follow, type Steering } from './chunk-writer.ts';
import { fenced, home } from './home.ts';
import type { Session } from './session.ts';

/** What one attempt works with. */
interface Attempt {
  readonly control: Session;
  readonly site: Site;
  readonly stage: BackfillStage;
  readonly fence: number;
  readonly steering: Steering;
}

/** The progress rows of a backfill: one for each range of pages of each heap. */
export class ShardRows {
  readonly #attempt: Attempt;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  /** Brings the rows in line with the heaps there are, inside a transaction that holds the fence; true: there is more to do. */
  async settle(heaps: readonly Heap[], notes: string[]): Promise<boolean> {
    const writers = await this.read();
    if (writers.length === 0) throw fenced(this.#attempt.site);
    let more = await this.#dropGone(writers, heaps, notes);
    for (const heap of heaps) if (await this.#settleHeap(writers, heap, notes)) more = true;
    return more;
  }

  async read(): Promise<readonly ChunkWriter[]> {
    const one = (column: string): string =>
      `(SELECT ${column} FROM ${home(this.#attempt.site)}.claims WHERE deployment = $1) AS ${column}`;
    const rows = await this.#attempt.control.query(
      `SELECT shard, seq::float8, page::float8, pass, from_page::float8, end_page::float8, heap, heap_name, filenode, guard, rows::float8, hot::float8, deferred, ${one('paused')}, ${one('rate')}
       FROM ${home(this.#attempt.site)}.progress WHERE deployment = $1 AND stage = 'backfill' AND fence = $2 ORDER BY shard`,
      [this.#attempt.site.deployment, this.#attempt.fence],
    );
    return rows.map((row) => {
      follow(this.#attempt.steering, row);
      return new ChunkWriter(this.#attempt.site, this.#attempt.stage, this.#attempt.fence, this.#attempt.steering, row);
    });
  }

  /** A detached or dropped partition took its rows along; what was rewritten there still counts. */
  async #dropGone(writers: readonly ChunkWriter[], heaps: readonly Heap[], notes: string[]): Promise<boolean> {
    const { control, site } = this.#attempt;
    const gone = writers.filter(
      ({ heap, finished, isNew }) => !isNew && !finished && heaps.every((other) => other.heap !== heap),
    );
    for (const { shard, name } of gone) {
      notes.push(`${name} was detached or dropped`);
      await control.query(
        `UPDATE ${home(site)}.progress SET seq = seq + 1, page = coalesce(end_page, 0), pass = 0, deferred = '[]' WHERE deployment = $1 AND stage = 'backfill' AND shard = $2`,
        [site.deployment, shard],
      );
    }
    return gone.length > 0;
  }

  async #settleHeap(writers: readonly ChunkWriter[], heap: Heap, notes: string[]): Promise<boolean> {
    const mine = writers.filter((writer) => writer.heap === heap.heap && !writer.isNew);
    const again = differenceIn(mine, heap);
    if (mine.length > 0 && again === null) return false;
    notes.push(...notesOf(writers, heap, again));
    const { stage } = this.#attempt;
    const count = mine.length > 0 ? mine.length : rangeCount(heap.pages, stage.shards ?? { atMost: 1, minPages: 1 });
    const ranges = rangesOf(heap.pages, count, stage.superPages);
    const numbers = await this.#numbers(mine);
    for (let index = 0; index < Math.max(ranges.length, mine.length); index++) {
      const { from, to } = ranges[index] ?? { from: heap.pages, to: heap.pages };
      await this.#put(numbers(index), heap, from, to);
    }
    return true;
  }

  /** Numbers of a heap's shards: those that it has, else the one that `claim` made, then new ones. */
  async #numbers(mine: readonly ChunkWriter[]): Promise<(index: number) => number> {
    const all = await this.read();
    const unused = all.filter(({ isNew }) => isNew).map(({ shard }) => shard);
    const highest = Math.max(...all.map(({ shard }) => shard));
    const there = mine.length > 0 ? mine.map(({ shard }) => shard) : unused;
    return (index) => there[index] ?? highest + 1 + index - there.length;
  }

  async #put(shard: number, { heap, name, filenode, guard }: Heap, from: number, to: number): Promise<void> {
    await this.#attempt.control.query(
      `INSERT INTO ${home(this.#attempt.site)}.progress AS p (deployment, stage, shard, fence, heap, heap_name, filenode, guard, from_page, end_page, page)
       VALUES ($1, 'backfill', $2, $3, $4, $5, $6, $7, $8, $9, $8)
       ON CONFLICT (deployment, stage, shard) DO UPDATE SET seq = p.seq + 1, heap = $4, heap_name = $5, filenode = $6, guard = $7,
         from_page = $8, end_page = $9, page = $8, pass = 0, deferred = '[]'`,
      [
        this.#attempt.site.deployment,
        shard,
        this.#attempt.fence,
        heap,
        name,
        filenode,
        guard === null ? null : JSON.stringify(guard),
        from,
        to,
      ],
    );
  }
}

/** Why a heap gets ranges of pages; of the first of all there is nothing to say. */
function notesOf(writers: readonly ChunkWriter[], { name }: Heap, again: string | null): readonly string[] {
  if (again !== null) return [`${again}: gone over again`];
  return writers.every(({ isNew }) => isNew) ? [] : [`${name} was attached or made`];
}

/** Why a heap has to be gone over again, or null; throws what can't be mended. */
function differenceIn(mine: readonly ChunkWriter[], heap: Heap): string | null {
  let again: string | null = null;
  for (const difference of mine.map((writer) => compare(writer, heap))) {
    if (difference.kind === 'drift') throw failure('TARGET_DRIFTED', difference.because);
    if (difference.kind === 'again') again = difference.because;
  }
  return again;
}

/** What has happened to a shard's heap since its ranges were made. */
export function differenceOf(writer: ChunkWriter, heaps: readonly Heap[]): Difference {
  const heap = heaps.find((other) => other.heap === writer.heap);
  if (heap !== undefined) return compare(writer, heap);
  return writer.finished ? { kind: 'none' } : { kind: 'again', because: 'a partition was detached' };
}
