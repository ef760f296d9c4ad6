import type { CheckFacts, CheckRowsInput } from '../../contracts/activities.ts';
import type { Row } from '../../contracts/json.ts';
import type { RowCheck } from '../../contracts/plan.ts';
import { CheckPlace, type SliceFacts } from './check-place.ts';
import { sessionName } from './home.ts';
import { ProgressTeller, type TellProgress } from './progress-teller.ts';
import { textOf, withSession, type Session, type TargetConnection } from './session.ts';
import { sqlStateOf } from './sql-failure.ts';

/** Goes over all rows slice by slice for one stretch of time; where it stands is kept in the target behind the fence. */
export async function checkRows(
  target: TargetConnection,
  input: CheckRowsInput,
  tell: TellProgress,
): Promise<CheckFacts> {
  const { site, check } = input;
  return withSession(target, sessionName(site), async (session) => {
    const place = await CheckPlace.open(session, input);
    for (const sql of [`SET statement_timeout = '60s'`, 'SET synchronous_commit = off', 'SET jit = off'])
      await session.query(sql);
    for (const { sql } of check.session ?? []) await session.query(sql);
    const teller = new ProgressTeller(site.deployment, input.stage, tell, input.rows);
    const run = new SliceRunner(session, check);
    const until = Date.now() + input.sliceMs;
    while (!place.finished && Date.now() < until) {
      await place.add(await run.next(place.at));
      await teller.tell(place.facts.seen, shareOf(place.facts.seen, input.rows), 'reads only');
    }
    await teller.last(place.facts.seen, shareOf(place.facts.seen, input.rows), 'reads only');
    return place.facts;
  });
}

const shareOf = (seen: number, rows: number | null): number =>
  rows === null || rows === 0 ? 0 : Math.min(1, seen / rows);

/** Runs one slice: as one plain statement, or row by row by a function that can't fail when the statement did. */
class SliceRunner {
  readonly #session: Session;
  readonly #check: RowCheck;
  #prepared = false;

  constructor(session: Session, check: RowCheck) {
    this.#session = session;
    this.#check = check;
  }

  async next(at: readonly string[] | null): Promise<SliceFacts> {
    return this.#check.slices.by === 'pages' ? this.#pages(at) : this.#keys(at);
  }

  async #pages(at: readonly string[] | null): Promise<SliceFacts> {
    const { slices, fast, slow } = this.#check;
    const from = Number(at?.[0] ?? 0);
    const size = slices.by === 'pages' ? Number((await this.#session.query(slices.size.sql))[0]?.['pages'] ?? 0) : 0;
    const to = Math.min(size, from + (slices.by === 'pages' ? slices.pages : 0));
    const row = await this.#count(fast.sql, slow.sql, [`(${from},0)`, `(${Math.max(to, from + 1)},0)`]);
    return { row, next: to >= size ? null : [String(to)] };
  }

  async #keys(at: readonly string[] | null): Promise<SliceFacts> {
    const { slices, fast, slow } = this.#check;
    if (slices.by !== 'keys') return this.#pages(at);
    const high = at ?? keysOf((await this.#session.query(slices.last.sql))[0]);
    if (high === null) return { row: { seen: '0', wrong: '0', lossy: '0', keys: [] }, next: null };
    const low = keysOf((await this.#session.query(slices.next.sql, [...high, slices.rows]))[0]);
    return low === null
      ? { row: await this.#count(slices.fastRest.sql, slices.slowRest.sql, high), next: null }
      : { row: await this.#count(fast.sql, slow.sql, [...high, ...low]), next: low };
  }

  async #count(fast: string, slow: string, values: readonly string[]): Promise<Row> {
    try {
      return (await this.#session.query(fast, values))[0] ?? {};
    } catch (error) {
      if (!isDataError(sqlStateOf(error))) throw error;
    }
    if (!this.#prepared) for (const { sql } of this.#check.prepare) await this.#session.query(sql);
    this.#prepared = true;
    return (await this.#session.query(slow, values))[0] ?? {};
  }
}

/** A value that an expression can't take: data exceptions, broken domains, exceptions raised by functions. */
const isDataError = (sqlState: string | null): boolean => sqlState !== null && /^(22|23|P0)/.test(sqlState);

const keysOf = (row: Row | undefined): readonly string[] | null =>
  row === undefined ? null : Object.keys(row).map((_, index) => textOf(row[`k${index}`]));
