import type { Site } from '../../contracts/activities.ts';
import type { Row } from '../../contracts/json.ts';
import type { BackfillStage } from '../../contracts/plan.ts';
import { guardOf, type Guard } from '../../decisions/pace/barrier.ts';
import { find, workOf, type Found, type PageWork } from '../../decisions/pace/burst.ts';
import { inPlainOrder, pagesDone, type Ground, type Position } from '../../decisions/pace/next-chunk.ts';
import { fenced, home } from './home.ts';
import { orderedRate } from './steer.ts';
import { textOf, type Session } from './session.ts';
import { sqlStateOf } from './sql-failure.ts';

/** A range of pages in one pass, and where the backfill stands after it. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly pass: number;
  readonly next: Position;
}

/** What a chunk did. */
export interface Written {
  readonly rows: number;
  /** Of them, how many touched no index; null: not counted. */
  readonly hot: number | null;
}

/** A range that was put aside because the application held its rows. */
interface Deferred {
  readonly from: number;
  readonly to: number;
}

/** What was ordered, as the last chunk of any shard has seen it. */
export interface Steering {
  paused: boolean;
  /** Rows per second at the most; null: unbounded. */
  rate: number | null;
  /** The rate that counts as long as none was ordered. */
  readonly planned: number | null;
}

/** Takes over what a row of ours says about pause and rate. */
export function follow(steering: Steering, row: Row): void {
  steering.paused = row['paused'] === true;
  const { rate } = row;
  steering.rate = typeof rate === 'number' ? orderedRate(rate) : steering.planned;
}

/** One attempt's hold on one shard: its watermark, and the one statement that moves it with the rows. */
export class ChunkWriter {
  readonly #site: Site;
  readonly #stage: BackfillStage;
  readonly #fence: number;
  readonly #steering: Steering;
  readonly #sql: string;
  readonly #fromPage: number;
  readonly #endPage: number;
  #deferred: Deferred[];
  #seq: number;

  readonly shard: number;
  /** Oid of the heap as text; empty in plans that know one heap only. */
  readonly heap: string;
  /** Its quoted name. */
  readonly name: string;
  readonly filenode: string;
  readonly guard: Guard | null;
  /** It has no range yet. */
  readonly isNew: boolean;
  position: Position;
  total: number;
  hot: number;
  #striped = true;
  /** By pass; by null while rows are gone over in plain order. */
  readonly #found = new Map<number | null, Found>();

  constructor(site: Site, stage: BackfillStage, fence: number, steering: Steering, row: Row) {
    this.#site = site;
    this.#stage = stage;
    this.#fence = fence;
    this.#steering = steering;
    this.#seq = Number(row['seq']);
    this.#deferred = deferredOf(row);
    this.shard = Number(row['shard']);
    this.heap = textOf(row['heap']);
    this.name = textOf(row['heap_name']);
    this.filenode = textOf(row['filenode']);
    this.guard = guardOf(row['guard']);
    this.isNew = row['end_page'] === null;
    this.position = { page: Number(row['page']), pass: Number(row['pass']) };
    this.#fromPage = Number(row['from_page']);
    this.#endPage = Number(row['end_page']);
    this.total = Number(row['rows']);
    this.hot = Number(row['hot']);
    this.#sql = stage.chunk.sql.replaceAll('{heap}', this.name).replaceAll('{oid}', this.heap === '' ? '0' : this.heap);
  }

  get ground(): Ground {
    return {
      stripes: this.#striped ? this.#stage.stripes : 1,
      superPages: this.#stage.superPages,
      fromPage: this.#fromPage,
      endPage: this.#endPage,
    };
  }

  get deferred(): number {
    return this.#deferred.length;
  }

  get atEnd(): boolean {
    return this.position.page >= this.#endPage;
  }

  /** All passes over what lies behind it are done, and something lies before it. */
  get betweenSuperChunks(): boolean {
    const { page, pass } = this.position;
    const atBoundary = pass === 0 && page % this.#stage.superPages === 0;
    return this.#striped && atBoundary && page > this.#fromPage && !this.atEnd;
  }

  get finished(): boolean {
    return this.atEnd && this.#deferred.length === 0;
  }

  get pages(): number {
    return this.#endPage - this.#fromPage;
  }

  get pagesDone(): number {
    return pagesDone(this.position, this.ground);
  }

  /** Goes on in stripes or in plain order. */
  inStripes(striped: boolean): void {
    if (this.#striped && !striped) this.position = inPlainOrder(this.position, this.ground);
    this.#striped = striped;
  }

  /** What one page of the coming pass asks for. */
  get pageWork(): PageWork {
    const { stripes } = this.ground;
    const { pass } = this.position;
    const found = this.#found.get(stripes === 1 ? null : pass) ?? null;
    return workOf(found, this.#stage.rowsPerPage / stripes, pass === 0);
  }

  /** Null when the application holds one of the rows. */
  async write(session: Session, { from, to, pass, next }: Chunk): Promise<Written | null> {
    const which = this.ground.stripes === 1 ? null : pass;
    const written = await this.#run(session, next, { from, to }, which);
    if (written !== null)
      this.#found.set(which, find(this.#found.get(which) ?? null, { pages: to - from, ...written }));
    return written;
  }

  /** Puts a range aside and moves on. */
  async defer(session: Session, { from, to, next }: Chunk): Promise<void> {
    this.#deferred.push({ from, to });
    await this.#move(session, next);
  }

  /** Goes back once to each range that was put aside, all stripes at once; what is still held stays. */
  async sweep(session: Session): Promise<void> {
    for (const range of [...this.#deferred]) {
      if ((await this.#run(session, this.position, range, null)) === null) continue;
      this.#deferred = this.#deferred.filter((other) => other !== range);
      await this.#move(session, this.position);
    }
  }

  /** Hears pause and rate while there is nothing to write; throws when a newer attempt has taken over. */
  async listen(session: Session): Promise<void> {
    const rows = await session.query(
      `SELECT c.paused, c.rate FROM ${home(this.#site)}.progress p JOIN ${home(this.#site)}.claims c USING (deployment)
       WHERE p.deployment = $1 AND p.stage = 'backfill' AND p.shard = $2 AND p.fence = $3`,
      [this.#site.deployment, this.shard, this.#fence],
    );
    if (rows[0] === undefined) throw fenced(this.#site);
    follow(this.#steering, rows[0]);
  }

  /** The statement of a pass, and what of it is bound; null: of all rows. */
  #statement(pass: number | null): PassStatement {
    const { parts } = this.#stage;
    const name = `chunk ${this.heap}`;
    if (parts === undefined) return { name, sql: this.#sql, bound: boundPart(this.#stage, pass) };
    const of = (pass === null ? null : parts[pass]) ?? 'true';
    return { name: `${name} ${pass ?? ''}`, sql: this.#sql.replace('{part}', () => of), bound: [] };
  }

  async #run(session: Session, next: Position, { from, to }: Deferred, pass: number | null): Promise<Written | null> {
    const { name, sql, bound } = this.#statement(pass);
    const place = [this.#site.deployment, this.shard, this.#seq, this.#fence, next.page, next.pass];
    const values = [...place, `(${from},0)`, `(${to},0)`, ...bound];
    try {
      const row = (await session.prepared(name, sql, values))[0];
      this.#take(row);
      this.position = next;
      const hot = row?.['hot'];
      if (typeof hot === 'number') this.hot += hot;
      return { rows: Number(row?.['rows']), hot: typeof hot === 'number' ? hot : null };
    } catch (error) {
      if (['55P03', '40P01', '40001', '57014'].includes(sqlStateOf(error) ?? '')) return null;
      throw error;
    }
  }

  async #move(session: Session, next: Position): Promise<void> {
    const one = (column: string): string =>
      `(SELECT ${column} FROM ${home(this.#site)}.claims WHERE deployment = $1) AS ${column}`;
    const rows = await session.query(
      `UPDATE ${home(this.#site)}.progress SET seq = seq + 1, page = $5, pass = $6, deferred = $7, updated_at = clock_timestamp()
       WHERE deployment = $1 AND stage = 'backfill' AND shard = $2 AND seq = $3 AND fence = $4
       RETURNING rows::float8 AS total, ${one('paused')}, ${one('rate')}`,
      [this.#site.deployment, this.shard, this.#seq, this.#fence, next.page, next.pass, JSON.stringify(this.#deferred)],
    );
    this.#take(rows[0]);
    this.position = next;
  }

  #take(row: Row | undefined): void {
    if (row === undefined) throw fenced(this.#site);
    this.#seq += 1;
    this.total = Number(row['total']);
    follow(this.#steering, row);
  }
}

interface PassStatement {
  readonly name: string;
  readonly sql: string;
  readonly bound: readonly number[];
}

/** `$9` and `$10` of a chunk in plans of before. */
function boundPart({ cuts, stripes }: BackfillStage, pass: number | null): readonly number[] {
  if (cuts === undefined) return pass === null ? [1, 0] : [stripes, pass];
  return pass === null ? [0, cuts.at(-1) ?? 1] : [cuts[pass] ?? 0, cuts[pass + 1] ?? 0];
}

const deferredOf = (row: Row): Deferred[] =>
  Array.isArray(row['deferred'])
    ? row['deferred'].map((range) => {
        // what `#move` has written
        const { from, to } = range as unknown as Deferred;
        return { from, to };
      })
    : [];
