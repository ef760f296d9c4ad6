import type { CheckFacts, CheckRowsInput, Site } from '../../contracts/activities.ts';
import type { Row } from '../../contracts/json.ts';
import { fenced, home, takeFence } from './home.ts';
import type { Session } from './session.ts';

const columns =
  'seq::float8, place, rows::float8 AS seen, wrong::float8, lossy::float8, to_jsonb(keys) AS keys, finished';

/** What one slice saw, and where the next one begins; null: that was the last. */
export interface SliceFacts {
  readonly row: Row;
  readonly next: readonly string[] | null;
}

/** Where a pass over all rows stands, kept in the target: keys of a table never enter a workflow's history this way. */
export class CheckPlace {
  readonly #session: Session;
  readonly #site: Site;
  readonly #stage: string;
  readonly #fence: number;
  #row: Row;

  private constructor(session: Session, site: Site, stage: string, fence: number, row: Row) {
    this.#session = session;
    this.#site = site;
    this.#stage = stage;
    this.#fence = fence;
    this.#row = row;
  }

  /** Takes the fence; a pass with another id begins anew, with the same id it goes on. */
  static async open(session: Session, { site, stage, pass }: CheckRowsInput): Promise<CheckPlace> {
    const fence = await takeFence(session, site);
    const rows = await session.query(
      `INSERT INTO ${home(site)}.progress AS p (deployment, stage, shard, fence, pass_id)
       SELECT $1, $2, 0, $3, $4 FROM ${home(site)}.claims AS c WHERE c.deployment = $1 AND c.fence = $3
       ON CONFLICT (deployment, stage, shard) DO UPDATE SET fence = $3, pass_id = $4,
         place = CASE WHEN p.pass_id = $4 THEN p.place END, finished = p.pass_id = $4 AND p.finished,
         rows = CASE WHEN p.pass_id = $4 THEN p.rows ELSE 0 END, wrong = CASE WHEN p.pass_id = $4 THEN p.wrong ELSE 0 END,
         lossy = CASE WHEN p.pass_id = $4 THEN p.lossy ELSE 0 END, keys = CASE WHEN p.pass_id = $4 THEN p.keys ELSE '{}' END
       WHERE p.fence <= $3 RETURNING ${columns}`,
      [site.deployment, rowName(stage), fence, pass],
    );
    const row = rows[0];
    if (row === undefined) throw fenced(site);
    return new CheckPlace(session, site, stage, fence, row);
  }

  /** The bound where the next slice begins; null: at the end of the table. */
  get at(): readonly string[] | null {
    const place = this.#row['place'];
    return Array.isArray(place) ? place.map(String) : null;
  }

  get finished(): boolean {
    return this.#row['finished'] === true;
  }

  get facts(): CheckFacts {
    const keys = this.#row['keys'];
    return {
      finished: this.finished,
      seen: Number(this.#row['seen']),
      wrong: Number(this.#row['wrong']),
      lossy: Number(this.#row['lossy']),
      keys: Array.isArray(keys) ? keys.map(String) : [],
    };
  }

  /** Adds what a slice saw, once: a superseded attempt or a repeated slice finds another sequence number. */
  async add({ row, next }: SliceFacts): Promise<void> {
    const rows = await this.#session.query(
      `UPDATE ${home(this.#site)}.progress SET seq = seq + 1, place = $5, finished = $6, rows = rows + $7, wrong = wrong + $8, lossy = lossy + $9,
         keys = (keys || $10::text[])[1:20], updated_at = clock_timestamp()
       WHERE deployment = $1 AND stage = $2 AND shard = 0 AND seq = $3 AND fence = $4 RETURNING ${columns}`,
      [
        this.#site.deployment,
        rowName(this.#stage),
        this.#row['seq'],
        this.#fence,
        next === null ? null : JSON.stringify(next),
        next === null,
        row['seen'],
        row['wrong'],
        row['lossy'],
        row['keys'],
      ],
    );
    const updated = rows[0];
    if (updated === undefined) throw fenced(this.#site);
    this.#row = updated;
  }
}

const rowName = (stage: string): string => `check ${stage}`;
