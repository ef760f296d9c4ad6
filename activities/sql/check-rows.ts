import type { CheckFacts, CheckRowsInput } from '../../contracts/activities.ts';
import type { Row } from '../../contracts/json.ts';
import type { KeySlices, PageSlices, RowCheck, Statement } from '../../contracts/plan.ts';
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

/** Three ways to look at one slice, from the cheapest to the one that can't fail. */
interface Looks {
  readonly glance: Statement | undefined;
  readonly fast: Statement;
  readonly slow: Statement;
}

/** Runs one slice: by a glance, by one plain statement, or row by row by a function that can't fail when both did. */
class SliceRunner {
  readonly #session: Session;
  readonly #check: RowCheck;
  #prepared = false;
  /** Where the last slice was not, the next one rarely is: then the glance would be in vain. */
  #intact = true;

  constructor(session: Session, check: RowCheck) {
    this.#session = session;
    this.#check = check;
  }

  async next(at: readonly string[] | null): Promise<SliceFacts> {
    return this.#check.slices.by === 'pages' ? this.#pages(at, this.#check.slices) : this.#keys(at, this.#check.slices);
  }

  async #pages(at: readonly string[] | null, slices: PageSlices): Promise<SliceFacts> {
    const from = Number(at?.[0] ?? 0);
    const size = Number((await this.#session.query(slices.size.sql))[0]?.['pages'] ?? 0);
    const to = Math.min(size, from + slices.pages);
    const row = await this.#count(this.#looks, [`(${from},0)`, `(${Math.max(to, from + 1)},0)`]);
    return { row, next: to >= size ? null : [String(to)] };
  }

  async #keys(at: readonly string[] | null, slices: KeySlices): Promise<SliceFacts> {
    const high = at ?? keysOf((await this.#session.query(slices.last.sql))[0]);
    if (high === null) return { row: { seen: '0', wrong: '0', lossy: '0', keys: [] }, next: null };
    const low = keysOf((await this.#session.query(slices.next.sql, [...high, slices.rows]))[0]);
    if (low !== null) return { row: await this.#count(this.#looks, [...high, ...low]), next: low };
    const rest = { glance: slices.glanceRest, fast: slices.fastRest, slow: slices.slowRest };
    return { row: await this.#count(rest, high), next: null };
  }

  get #looks(): Looks {
    const { glance, fast, slow } = this.#check;
    return { glance, fast, slow };
  }

  async #count({ glance, fast, slow }: Looks, values: readonly string[]): Promise<Row> {
    if (this.#intact && glance !== undefined) {
      const { seen, intact } = (await this.#unlessData(glance, values)) ?? {};
      if (seen !== undefined && seen === intact) return { seen, wrong: '0', lossy: '0', keys: [] };
    }
    const row = (await this.#unlessData(fast, values)) ?? (await this.#slowly(slow, values));
    this.#intact = Number(row['wrong']) + Number(row['lossy']) === 0;
    return row;
  }

  /** Null: there is a row that it can't take. */
  async #unlessData({ sql }: Statement, values: readonly string[]): Promise<Row | null> {
    try {
      return (await this.#session.query(sql, values))[0] ?? {};
    } catch (error) {
      if (!isDataError(sqlStateOf(error))) throw error;
      return null;
    }
  }

  async #slowly({ sql }: Statement, values: readonly string[]): Promise<Row> {
    if (!this.#prepared) for (const { sql: make } of this.#check.prepare) await this.#session.query(make);
    this.#prepared = true;
    return (await this.#session.query(sql, values))[0] ?? {};
  }
}

/** A value that an expression can't take: data exceptions, broken domains, exceptions raised by functions. */
const isDataError = (sqlState: string | null): boolean => sqlState !== null && /^(22|23|P0)/.test(sqlState);

const keysOf = (row: Row | undefined): readonly string[] | null =>
  row === undefined ? null : Object.keys(row).map((_, index) => textOf(row[`k${index}`]));
