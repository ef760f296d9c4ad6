import type { Site } from '../../contracts/activities.ts';
import type { Row } from '../../contracts/json.ts';
import type { BackfillStage, Statement } from '../../contracts/plan.ts';
import { followCheckpoint, type Checkpoint, type CheckpointLook } from '../../decisions/pace/checkpoint.ts';
import { quantile } from '../../decisions/pace/share.ts';
import type { Lag, Signal, Signals } from '../../decisions/pace/signals.ts';
import { sessionName } from './home.ts';
import { openSession, type Session, type TargetConnection } from './session.ts';
import { sqlStateOf } from './sql-failure.ts';

const everyMs = 1_000;

/**
 * Looks once a second at what the target feels, in a session of its own and beside the work. A look that fails changes
 * nothing: what was seen grows old, and an old signal slows the backfill down.
 */
export class LoadWatch {
  readonly #target: TargetConnection;
  readonly #site: Site;
  readonly #statements: readonly Statement[];
  #session: Session | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #deadlocks: { readonly first: number; readonly last: number } | null = null;
  #waits: number | null = null;
  #commits: readonly number[] = [];

  signals: Signals & { readonly busy: Signal<number> };

  constructor(target: TargetConnection, site: Site, { presence, signals = [] }: BackfillStage) {
    this.#target = target;
    this.#site = site;
    this.#statements = [presence, ...signals];
    // asked for and not seen yet: as old as the slice, so that an answer that never comes is missed
    const unseen = { value: null, at: Date.now() };
    this.signals = {
      busy: unseen,
      ...Object.fromEntries(signals.filter(({ id }) => id !== 'counters').map(({ id }) => [id, unseen])),
    };
  }

  /** What was counted while it watched; null: it could not be seen. */
  get counted(): { readonly lockWaits: number | null; readonly deadlocks: number | null } {
    const deadlocks = this.#deadlocks === null ? null : this.#deadlocks.last - this.#deadlocks.first;
    return { lockWaits: this.#waits, deadlocks };
  }

  /** Waits for the first look; the others come by themselves. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), everyMs);
  }

  /** One look; of two at a time there is one. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#looking;
    await this.#session?.close();
  }

  async #look(): Promise<void> {
    const session = this.#session ?? (await this.#open().catch(() => null));
    this.#session = session;
    if (session === null) return;
    for (const statement of this.#statements) {
      const started = performance.now();
      const row = await this.#ask(session, statement);
      if (row === null) {
        await session.close();
        this.#session = null;
        return;
      }
      this.#take(statement.id, row, performance.now() - started);
    }
  }

  async #open(): Promise<Session> {
    const session = await openSession(this.#target, sessionName(this.#site), 10_000);
    try {
      await session.script(`SET statement_timeout = '5s'; SET lock_timeout = '1s'; SET synchronous_commit = on`);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** The row; empty when the server refuses, null when there was no answer. */
  async #ask(session: Session, { sql }: Statement): Promise<Row | null> {
    try {
      const rows = await session.query(sql, sql.includes('$1') ? [this.#site.deployment] : []);
      return rows[0] ?? {};
    } catch (error) {
      // no right to it, or no such thing on this server: our role does not see it
      return sqlStateOf(error)?.startsWith('42') === true ? {} : null;
    }
  }

  #take(id: string, row: Row, tookMs: number): void {
    const at = Date.now();
    const signal = <T>(value: T | null): Signal<T> => ({ value, at });
    const seen: Readonly<Record<string, () => Signals>> = {
      presence: () => ({ busy: signal(numberOf(row['busy'])) }),
      lag: () => ({ lag: signal(lagOf(row)) }),
      waiting: () => {
        const waiting = numberOf(row['waiting']);
        if (waiting !== null) this.#waits = (this.#waits ?? 0) + waiting;
        return { waiting: signal(waiting) };
      },
      checkpoint: () => {
        const before = this.signals.checkpoint?.value ?? null;
        return { checkpoint: signal<Checkpoint>(followCheckpoint(before, lookOf(row, at))) };
      },
      archiveFails: () => ({ archiveFails: signal(typeof row['failing'] === 'boolean' ? row['failing'] : null) }),
      commitMs: () => {
        // the middle of three: one that is slow says nothing yet
        this.#commits = [...this.#commits.slice(-2), tookMs];
        return { commitMs: signal(quantile(this.#commits, 0.5)) };
      },
      counters: () => {
        const last = numberOf(row['deadlocks']);
        if (last !== null) this.#deadlocks = { first: this.#deadlocks?.first ?? last, last };
        return {};
      },
    };
    this.signals = { ...this.signals, ...seen[id]?.() };
  }
}

const numberOf = (value: Row[string] | undefined): number | null => (typeof value === 'number' ? value : null);

function lagOf(row: Row): Lag | null {
  const bytes = numberOf(row['bytes']);
  return bytes === null || row['unseen'] !== 0 ? null : { seconds: numberOf(row['seconds']), bytes };
}

const doings: readonly CheckpointLook['doing'][] = ['idle', 'spread', 'hurried'];

const lookOf = (row: Row, at: number): CheckpointLook => ({
  at,
  doing: doings.find((doing) => doing === row['doing']) ?? null,
  begun: numberOf(row['begun']),
  written: numberOf(row['written']),
  redo: typeof row['redo'] === 'string' ? row['redo'] : null,
});
