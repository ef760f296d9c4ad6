import type { Site } from '../../contracts/activities.ts';
import type { Row } from '../../contracts/json.ts';
import type { BackfillStage } from '../../contracts/plan.ts';
import { shareDone, type Ground, type Position } from '../../decisions/pace/next-chunk.ts';
import { failure } from '../failures.ts';
import { fenced, home, takeFence } from './home.ts';
import { textOf, type Session } from './session.ts';
import { sqlStateOf } from './sql-failure.ts';

/** A range of pages in one pass, and where the backfill stands after it. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly pass: number;
  readonly next: Position;
}

/** A range that was put aside because the application held its rows. */
interface Deferred {
  readonly from: number;
  readonly to: number;
}

const shard = 0;

/** One attempt's hold on a backfill: its fence, its watermark, and the one statement that moves both with the rows. */
export class ChunkWriter {
  readonly #session: Session;
  readonly #site: Site;
  readonly #stage: BackfillStage;
  readonly #fence: number;
  #row: Row;
  #deferred: Deferred[];
  #seq: number;

  position: Position;
  ground: Ground;
  filenode: string;
  total: number;
  paused: boolean;
  rate: number | null;
  /** Chunks that this attempt has committed. */
  chunks = 0;

  private constructor(session: Session, site: Site, stage: BackfillStage, fence: number, row: Row) {
    this.#session = session;
    this.#site = site;
    this.#stage = stage;
    this.#fence = fence;
    this.#row = row;
    this.#seq = Number(row['seq']);
    this.#deferred = deferredOf(row);
    this.position = { page: Number(row['page']), pass: Number(row['pass']) };
    this.ground = { stripes: stage.stripes, superPages: stage.superPages, endPage: Number(row['end_page']) };
    this.filenode = textOf(row['filenode']);
    this.total = Number(row['rows']);
    this.paused = row['paused'] === true;
    this.rate = rateOf(row);
  }

  /** Takes the fence, and on the first time of all fixes the last page: after the barrier, when the trigger is at work. */
  static async open(session: Session, site: Site, stage: BackfillStage): Promise<ChunkWriter> {
    const fence = await takeFence(session, site);
    const barrier = (await session.query(stage.barrier.sql))[0];
    if (barrier?.['guarded'] !== true)
      throw failure('TARGET_DRIFTED', 'our trigger or a new column is gone, or the trigger is disabled');
    const rows = await session.query(
      `UPDATE ${home(site)}.progress SET fence = $2, end_page = coalesce(end_page, $3), filenode = coalesce(filenode, $4)
       WHERE deployment = $1 AND stage = 'backfill' AND shard = ${shard} AND fence <= $2
       RETURNING seq::float8, page::float8, pass, end_page::float8, filenode, rows::float8, deferred, ${steering(site)}`,
      [site.deployment, fence, barrier['pages'], barrier['filenode']],
    );
    const row = rows[0];
    if (row === undefined) throw fenced(site);
    const writer = new ChunkWriter(session, site, stage, fence, row);
    if (writer.filenode !== barrier['filenode'])
      await writer.restart(Number(barrier['pages']), textOf(barrier['filenode']));
    return writer;
  }

  get deferred(): number {
    return this.#deferred.length;
  }

  get atEnd(): boolean {
    return this.position.page >= this.ground.endPage;
  }

  get finished(): boolean {
    return this.atEnd && this.#deferred.length === 0;
  }

  get share(): number {
    return shareDone(this.position, this.ground);
  }

  /** Rows changed, or null when the application holds one of them. */
  async write(chunk: Chunk): Promise<number | null> {
    return this.#run(chunk.next, chunk.from, chunk.to, this.#stage.stripes, chunk.pass);
  }

  /** Puts a range aside and moves on. */
  async defer({ from, to, next }: Chunk): Promise<void> {
    this.#deferred.push({ from, to });
    await this.#move(next);
  }

  /** Goes back once to each range that was put aside, all stripes at once; what is still held stays. */
  async sweep(): Promise<void> {
    for (const range of [...this.#deferred]) {
      const rows = await this.#run(this.position, range.from, range.to, 1, 0);
      if (rows === null) continue;
      this.#deferred = this.#deferred.filter((other) => other !== range);
      await this.#move(this.position);
    }
  }

  /** The table was rewritten: its rows have other places now, so everything is gone over again. */
  async restart(pages: number, filenode: string): Promise<void> {
    this.#deferred = [];
    this.filenode = filenode;
    this.ground = { ...this.ground, endPage: pages };
    await this.#move({ page: 0, pass: 0 });
  }

  /** Hears pause and rate while there is nothing to write; throws when a newer attempt has taken over. */
  async listen(): Promise<void> {
    const rows = await this.#session.query(
      `SELECT ${steering(this.#site)} FROM ${home(this.#site)}.progress WHERE deployment = $1 AND stage = 'backfill' AND shard = ${shard} AND fence = $2`,
      [this.#site.deployment, this.#fence],
    );
    const row = rows[0];
    if (row === undefined) throw fenced(this.#site);
    this.paused = row['paused'] === true;
    this.rate = rateOf(row);
  }

  /** Makes sure that what was committed without waiting for the disk is there before anybody believes it. */
  async flush(): Promise<void> {
    await this.#session.query('SET synchronous_commit = on');
    await this.#move(this.position);
    await this.#session.query('SET synchronous_commit = off');
  }

  async #run(next: Position, from: number, to: number, stripes: number, stripe: number): Promise<number | null> {
    const { deployment } = this.#site;
    const values = [
      deployment,
      shard,
      this.#seq,
      this.#fence,
      next.page,
      next.pass,
      `(${from},0)`,
      `(${to},0)`,
      stripes,
      stripe,
    ];
    try {
      this.#take((await this.#session.prepared('chunk', this.#stage.chunk.sql, values))[0]);
    } catch (error) {
      if (['55P03', '40P01', '40001', '57014'].includes(sqlStateOf(error) ?? '')) return null;
      throw error;
    }
    this.position = next;
    this.chunks += 1;
    return Number(this.#row['rows']);
  }

  async #move(next: Position): Promise<void> {
    const rows = await this.#session.query(
      `UPDATE ${home(this.#site)}.progress SET seq = seq + 1, page = $5, pass = $6, deferred = $7, end_page = $8, filenode = $9, updated_at = clock_timestamp()
       WHERE deployment = $1 AND stage = 'backfill' AND shard = $2 AND seq = $3 AND fence = $4 RETURNING 0 AS rows, rows::float8 AS total, ${steering(this.#site)}`,
      [
        this.#site.deployment,
        shard,
        this.#seq,
        this.#fence,
        next.page,
        next.pass,
        JSON.stringify(this.#deferred),
        this.ground.endPage,
        this.filenode,
      ],
    );
    this.#take(rows[0]);
    this.position = next;
  }

  #take(row: Row | undefined): void {
    if (row === undefined) throw fenced(this.#site);
    this.#row = row;
    this.#seq += 1;
    this.total = Number(row['total']);
    this.paused = row['paused'] === true;
    this.rate = rateOf(row);
  }
}

const steering = (site: Site): string =>
  `(SELECT paused FROM ${home(site)}.claims WHERE deployment = $1) AS paused, (SELECT rate FROM ${home(site)}.claims WHERE deployment = $1) AS rate`;
const rateOf = (row: Row): number | null => (typeof row['rate'] === 'number' ? row['rate'] : null);
const deferredOf = (row: Row): Deferred[] =>
  Array.isArray(row['deferred'])
    ? row['deferred'].map((range) => {
        // what `#move` has written
        const { from, to } = range as unknown as Deferred;
        return { from, to };
      })
    : [];
