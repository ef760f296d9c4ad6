import { deepStrictEqual as same } from 'node:assert/strict';
import type { Carrier } from './carrier.ts';
import { Ground } from './ground.ts';
import type { Model } from './model.ts';

/** The deployment's claim, as the target keeps it: its turn, its pause, and that nobody else has the table. */
export class Claim {
  readonly #ground: Ground;
  readonly #carrier: Carrier;
  readonly #model: Model;
  #paused = false;

  constructor(ground: Ground, carrier: Carrier, model: Model) {
    this.#ground = ground;
    this.#carrier = carrier;
    this.#model = model;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  async latestTurn(): Promise<number | null> {
    if (!this.#model.catalog.home) return null;
    const { rows } = await this.#ground.eyes.query<{ turn: string }>(
      'SELECT turn FROM lakeshift.claims WHERE deployment = $1',
      [this.#carrier.deployment],
    );
    // the target counts deliveries: a thousand to each turn
    return rows[0] === undefined ? null : Math.floor(Number(rows[0].turn) / 1_000);
  }

  async steer(paused: boolean): Promise<void> {
    if (!this.#model.catalog.home || this.#carrier.outcome !== 'under way') return;
    const turn = (await this.latestTurn()) ?? 0;
    const site = this.#carrier.site(turn);
    const ending = await Ground.deliver('steer', { site, paused, rate: null }, this.#ground.url);
    same(ending.ok, true, 'a pause could not be told');
    this.#paused = paused;
  }

  /** Another deployment tries to get the table. */
  async defy(): Promise<void> {
    if ((await this.latestTurn()) === null || this.#carrier.outcome !== 'under way') return;
    const { plan, deployment } = this.#carrier;
    const site = { ...this.#carrier.site(1), deployment: 'rival-00000001' };
    const ending = await Ground.deliver('claim', { site, plan }, this.#ground.url);
    same(ending, { ok: true, facts: { held: false, holder: deployment } }, 'two deployments hold one table');
  }
}
