import type { Site } from '../../contracts/activities.ts';
import { sessionName } from './home.ts';
import { openSession, type Session, type TargetConnection } from './session.ts';

const everyMs = 1_000;

/** Looks once a second whether an application is at work in the database; null until it could look. */
export class LoadWatch {
  readonly #target: TargetConnection;
  readonly #site: Site;
  readonly #sql: string;
  #session: Session | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** Sessions of others that are at work. */
  othersBusy: number | null = null;

  constructor(target: TargetConnection, site: Site, sql: string) {
    this.#target = target;
    this.#site = site;
    this.#sql = sql;
  }

  /** Cheap unless a second has passed. */
  async look(): Promise<void> {
    const now = performance.now();
    if (now - this.#lookedAt < everyMs) return;
    this.#lookedAt = now;
    this.#session ??= await openSession(this.#target, sessionName(this.#site));
    const busy = (await this.#session.query(this.#sql))[0]?.['busy'];
    this.othersBusy = typeof busy === 'number' ? busy : null;
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }
}
