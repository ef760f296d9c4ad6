import { ok as holds } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fate } from '../support/scripted-wire.ts';
import type { Effect } from './steps.ts';
import { Ground } from './ground.ts';
import type { Event, Happening } from './operations.ts';
import type { Scene } from './scene.ts';

/** What happened during one effect, as far as its ending depends on it. */
export interface Circumstances {
  /** Its connections were tampered with. */
  readonly faulty: boolean;
  /** What there was to see once its fence had been raised. */
  readonly superseded: string | null;
  readonly drifted: boolean;
}

/** Others may come between the statements of such an effect. */
export const isInterruptible = ({ activity }: Effect): boolean => ['backfill', 'checkRows'].includes(activity);

/** Lets things happen while one effect is under way, and remembers what they were. */
export class Meanwhile implements Circumstances {
  readonly #scene: Scene;
  readonly #effect: Effect;
  readonly #events: readonly Event[];
  readonly #fates: Promise<Fate>[] = [];
  /** Orders that may reach the target only once the effect has let go of its row there. */
  readonly #orders: Promise<void>[] = [];
  readonly #broken: unknown[] = [];
  #faulty = false;
  #superseded: string | null = null;
  #drifted: boolean;

  constructor(scene: Scene, effect: Effect, events: readonly Event[]) {
    this.#scene = scene;
    this.#effect = effect;
    this.#events = events;
    this.#drifted = scene.model.isDrifted;
  }

  get faulty(): boolean {
    return this.#faulty;
  }

  get superseded(): string | null {
    return this.#superseded;
  }

  get drifted(): boolean {
    return this.#drifted;
  }

  /** What happens before the statement of this number, and then to it. */
  before(number: number): Promise<Fate> {
    const fate = this.#fateOf(number);
    this.#fates.push(fate);
    return fate;
  }

  /** The effect is over; throws what has gone wrong with others meanwhile. */
  async over(): Promise<void> {
    // an effect of several sessions may end while what happens to one of them is still under way
    await Promise.all(this.#fates);
    await Promise.all(this.#orders);
    if (this.#broken.length > 0) throw this.#broken[0];
  }

  async #fateOf(number: number): Promise<Fate> {
    const most = isInterruptible(this.#effect) ? 40 : 14;
    let fate: Fate = 'pass';
    for (const { at, happens } of this.#events) {
      if (((at - 1) % most) + 1 !== number || this.#broken.length > 0) continue;
      try {
        fate = await this.#happen(happens, number);
      } catch (error) {
        this.#broken.push(error);
      }
    }
    return this.#broken.length > 0 ? 'cut' : fate;
  }

  async #happen(happening: Happening, number: number): Promise<Fate> {
    this.#scene.tell(`    before statement ${number}: ${JSON.stringify(happening)}`);
    if (happening.is === 'cut' || happening.is === 'lose' || happening.is === 'orphan') {
      this.#faulty = true;
      return happening.is;
    }
    if (happening.is === 'terminate') {
      this.#faulty = true;
      await this.#scene.ground.eyes.query(
        `SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE $1`,
        [`lakeshift ${this.#scene.carrier.deployment}%`],
      );
      return 'pass';
    }
    if (isInterruptible(this.#effect)) await this.#others(happening);
    return 'pass';
  }

  async #others(happening: Happening): Promise<void> {
    const { model, transactions, people, claim, table } = this.#scene;
    switch (happening.is) {
      case 'pause':
        this.#orders.push(claim.steer(true));
        return Promise.race([...this.#orders, sleep(300)]);
      case 'let go':
        return transactions.letGo(happening.commit);
      case 'drift':
        await people.drift(happening.drift);
        this.#drifted ||= model.isDrifted;
        return;
      case 'supersede':
        return this.#supersede();
      case 'write':
        model.disturbed();
        await model.compare();
        await transactions.transact([happening.write], true);
        if (this.#superseded !== null) this.#superseded = await table.picture();
        return;
      case 'cut':
      case 'lose':
      case 'orphan':
      case 'terminate':
        throw new Error(`${happening.is} is no doing of others`);
    }
  }

  /** What an abort does while the effect is under way: from here on it changes nothing. */
  async #supersede(): Promise<void> {
    const { carrier, ground, table } = this.#scene;
    if (!carrier.back()) return;
    const raised = await Ground.deliver('raiseFence', { site: carrier.site() }, ground.url);
    holds(raised.ok, 'the fence could not be raised');
    this.#superseded = await table.picture();
  }
}
