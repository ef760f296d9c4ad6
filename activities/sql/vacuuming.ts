import { setTimeout as sleep } from 'node:timers/promises';
import type { Site } from '../../contracts/activities.ts';
import type { BackfillStage, VacuumRule } from '../../contracts/plan.ts';
import { isVacuumDue, type HeapCount } from '../../decisions/pace/vacuum.ts';
import type { VacuumMemory } from '../metrics/protector.ts';
import { sessionName } from './home.ts';
import { openSession, textOf, type Session, type TargetConnection } from './session.ts';

/** What a lane knows while it waits for a vacuum. */
export interface Surroundings {
  /** An application is there, or something else slows the backfill down. */
  readonly hindered: () => boolean;
  /** An order, a newer attempt or the end of the slice asks the lane to stop; looks into the target. */
  readonly isOver: () => Promise<boolean>;
}

/** A vacuum that runs beside the bursts. */
interface Beneath {
  readonly name: string;
  readonly vacuum: RunningVacuum;
  readonly running: Promise<void>;
  /** Epoch ms. */
  readonly began: number;
}

/** How often a lane looks up while it waits, ms. */
const lookMs = 200;
/** What takes longer is autovacuum's, ms. */
const patienceMs = 60_000;
/** How long one that was cancelled is waited for, ms: a server that has vanished does not answer. */
const farewellMs = 5_000;

/**
 * Has the server clear the indexes of what the backfill's own updates have left dead there: then the next entries find
 * room, and no index grows. Between two super-chunks: a vacuum tells the server of the room on a page, and rows of
 * other pages would take what the later passes over it need. It is help, not work: whatever fails, the backfill goes on.
 */
export class Vacuuming {
  readonly #target: TargetConnection;
  readonly #site: Site;
  readonly #rule: VacuumRule | null;
  readonly #memory: VacuumMemory;
  readonly #quiet: boolean;
  #busy = false;
  #beneath: Beneath | null = null;

  /** When it was given up, and why. */
  readonly notes: string[] = [];

  /** `quiet`: this backfill has not written a row yet. */
  constructor(
    target: TargetConnection,
    { site, stage, quiet }: { readonly site: Site; readonly stage: BackfillStage; readonly quiet: boolean },
    memory: VacuumMemory,
  ) {
    this.#target = target;
    this.#site = site;
    this.#rule = stage.vacuum ?? null;
    this.#quiet = quiet;
    this.#memory = memory;
  }

  /** True, once, when enough has come together in a heap since the last time. */
  isDue(name: string, count: HeapCount): boolean {
    if (this.#rule === null || this.#memory.tooLong || this.#busy) return false;
    const before = this.#memory.cold.get(name) ?? (this.#quiet ? 0 : count.cold);
    const due = isVacuumDue(before, count, this.#rule.coldShare);
    this.#memory.cold.set(name, due ? count.cold : before);
    return due;
  }

  /**
   * Vacuums a heap and waits for it. When an application is there, or comes, it goes gently and nobody waits: the bursts
   * go on beside it, and only the run of pages that it meets just then may lose its room to others.
   */
  async run(name: string, surroundings: Surroundings): Promise<void> {
    if (this.#rule === null) return;
    this.#busy = true;
    try {
      const end = surroundings.hindered() ? 'hindered' : await this.#atOnce(this.#rule, name, surroundings);
      if (end === 'hindered') this.#beside(this.#rule, name);
    } finally {
      this.#busy = this.#beneath !== null;
    }
  }

  /** Ends the one that runs beside the bursts. One that had no time to end is due again, unless it takes too long. */
  async close(): Promise<void> {
    const beneath = this.#beneath;
    if (beneath === null) return;
    if (Date.now() - beneath.began > patienceMs) this.#giveUp();
    else this.#memory.cold.set(beneath.name, 0);
    await this.#end(beneath.vacuum, beneath.running);
  }

  #beside(rule: VacuumRule, name: string): void {
    const vacuum = new RunningVacuum();
    const running = this.#start(vacuum, rule, name, [rule.gently.sql]).then(() => {
      [this.#beneath, this.#busy, this.#memory.running] = [null, false, false];
    });
    this.#beneath = { name, vacuum, running, began: Date.now() };
    this.#memory.running = true;
  }

  async #atOnce(rule: VacuumRule, name: string, surroundings: Surroundings): Promise<'over' | 'hindered'> {
    const vacuum = new RunningVacuum();
    const running = this.#start(vacuum, rule, name, []);
    const until = Date.now() + patienceMs;
    try {
      for (;;) {
        const ended = await Promise.race([running.then(() => true), sleep(lookMs, false)]);
        if (ended || (await surroundings.isOver())) return 'over';
        if (surroundings.hindered()) return 'hindered';
        if (Date.now() > until) return this.#giveUp();
      }
    } finally {
      await this.#end(vacuum, running);
    }
  }

  #start(vacuum: RunningVacuum, rule: VacuumRule, name: string, more: readonly string[]): Promise<void> {
    const settings = [...rule.settings.map(({ sql }) => sql), ...more];
    return vacuum.run(this.#target, sessionName(this.#site), [...settings, rule.run.sql.replaceAll('{heap}', name)]);
  }

  async #end(vacuum: RunningVacuum, running: Promise<void>): Promise<void> {
    await vacuum.cancel(this.#target, sessionName(this.#site));
    await Promise.race([running, sleep(farewellMs, undefined, { ref: false })]);
  }

  #giveUp(): 'over' {
    this.#memory.tooLong = true;
    this.notes.push('clearing the indexes takes more than a minute: left to autovacuum');
    return 'over';
  }
}

/** One statement in a session of its own that can be cancelled. */
class RunningVacuum {
  #pid: string | null = null;
  #ended = false;
  #cancelled = false;

  /** Never fails: without the right to it, or cancelled for a newer attempt, the indexes grow, and nothing else. */
  async run(target: TargetConnection, name: string, statements: readonly string[]): Promise<void> {
    let session: Session | null = null;
    try {
      session = await openSession(target, name, null);
      this.#pid = textOf((await session.query('SELECT pg_backend_pid() AS pid'))[0]?.['pid']);
      for (const sql of statements) if (!this.#cancelled) await session.query(sql);
    } catch {
      // said above
    } finally {
      this.#ended = true;
      await session?.close();
    }
  }

  async cancel(target: TargetConnection, name: string): Promise<void> {
    this.#cancelled = true;
    if (this.#ended || this.#pid === null) return;
    const session = await openSession(target, name).catch(() => null);
    await session?.query('SELECT pg_cancel_backend($1::int)', [this.#pid]).catch(() => undefined);
    await session?.close();
  }
}
