import { deepStrictEqual as same, ok as holds } from 'node:assert/strict';
import { openWire } from '../support/scripted-wire.ts';
import type { Effect } from './steps.ts';
import { Ground, type Ending } from './ground.ts';
import { EffectJudge } from './judge-effect.ts';
import { isInterruptible, Meanwhile } from './meanwhile.ts';
import type { Event } from './operations.ts';
import type { Scene } from './scene.ts';

/** Delivers the deployment's effects as Temporal may: once, twice at the same time, or again when they are long over. */
export class Deliveries {
  readonly #scene: Scene;
  /** Effects that were delivered, with how often the table had been written by others when they first were. */
  readonly #delivered = new Map<Effect, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  async once(events: readonly Event[]): Promise<void> {
    const effect = await this.#due();
    if (effect === null) return;
    const meanwhile = new Meanwhile(this.#scene, effect, events);
    const judge = await this.#judgeOf(effect);
    const ending = events.length === 0 ? await this.#deliver(effect) : await this.#deliverAmid(effect, meanwhile);
    await judge.judge(ending, meanwhile);
  }

  async twice(): Promise<void> {
    const effect = await this.#due();
    if (effect === null) return;
    const judge = await this.#judgeOf(effect);
    const meanwhile = new Meanwhile(this.#scene, effect, []);
    const { url } = this.#scene.ground;
    const endings = await Promise.all([1, 2].map(() => Ground.deliver(effect.activity, effect.input, url)));
    for (const ending of endings) this.#told(effect, ending);
    const [best, other] = endings.toSorted((a, b) => rank(a) - rank(b));
    holds(best !== undefined && !isFenced(best), 'both deliveries were fenced off');
    await judge.judge(best, meanwhile);
    // two that validate the same constraint get in each other's way
    const clash = effect.activity === 'alterLong';
    if (other !== undefined && !isFenced(other) && !clash)
      same(other.ok, best.ok, `one delivery failed: ${best.ok && !other.ok ? other.failure : ''}`);
  }

  /** An effect of an older turn comes again: it is refused and changes nothing. */
  async late(pick: number): Promise<void> {
    const { claim, table } = this.#scene;
    const seen = await claim.latestTurn();
    if (seen === null) return;
    const fencedOnes = ['alter', 'alterLong', 'backfill', 'checkRows'];
    const old = [...this.#delivered.keys()].filter(
      ({ activity, turn }) => fencedOnes.includes(activity) && turn < seen,
    );
    const effect = old[pick % Math.max(1, old.length)];
    if (effect === undefined) return;
    const before = await table.picture();
    const ending = await this.#deliver(effect);
    same(
      ending,
      { ok: false, failure: 'FENCED' },
      `${effect.what} of turn ${effect.turn} came late and was not refused`,
    );
    same(await table.picture(), before, `${effect.what} of turn ${effect.turn} came late and was felt`);
  }

  /** The next effect; unless others may come between its statements, none of theirs is still open. */
  async #due(): Promise<Effect | null> {
    const { carrier, transactions } = this.#scene;
    const effect = carrier.next();
    if (effect !== null && !isInterruptible(effect)) await transactions.letGo(true);
    return effect;
  }

  #judgeOf(effect: Effect): Promise<EffectJudge> {
    const writes = this.#delivered.get(effect) ?? this.#scene.model.writes;
    this.#delivered.set(effect, writes);
    return EffectJudge.appoint(this.#scene, effect, writes);
  }

  async #deliver(effect: Effect): Promise<Ending> {
    return this.#told(effect, await Ground.deliver(effect.activity, effect.input, this.#scene.ground.url));
  }

  async #deliverAmid(effect: Effect, meanwhile: Meanwhile): Promise<Ending> {
    const wire = await openWire(this.#scene.ground.url, ({ number }) => meanwhile.before(number));
    try {
      const ending = await Ground.deliver(effect.activity, effect.input, wire.url);
      await meanwhile.over();
      return this.#told(effect, ending);
    } finally {
      await wire.close();
    }
  }

  #told(effect: Effect, ending: Ending): Ending {
    this.#scene.tell(
      `    ${effect.what} #${effect.turn}: ${ending.ok ? JSON.stringify(ending.facts) : ending.failure}`,
    );
    return ending;
  }
}

const isFenced = (ending: Ending): boolean => !ending.ok && ending.failure === 'FENCED';
const rank = (ending: Ending): number => (ending.ok ? 0 : isFenced(ending) ? 2 : 1);
