import { deepStrictEqual as same, ok as holds } from 'node:assert/strict';
import type { BackfillFacts, CheckFacts } from '../../contracts/activities.ts';
import type { Effect } from './steps.ts';
import type { Ending } from './ground.ts';
import type { Circumstances } from './meanwhile.ts';
import type { Scene } from './scene.ts';

/** How it stood before an effect. */
interface Before {
  readonly unconvertible: boolean;
  /** Rows that wait for the backfill. */
  readonly waiting: number;
  readonly drifted: boolean;
  readonly columnIsGone: boolean;
  readonly paused: boolean;
}

/** Judges how one effect has ended: by how it stood before, by what happened meanwhile, and by what is there now. */
export class EffectJudge {
  readonly #scene: Scene;
  readonly #effect: Effect;
  /** How often the table had been written by others when the effect was first delivered. */
  readonly #writes: number;
  readonly #before: Before;

  private constructor(scene: Scene, effect: Effect, writes: number, before: Before) {
    this.#scene = scene;
    this.#effect = effect;
    this.#writes = writes;
    this.#before = before;
  }

  /** Looks at what is compared with afterwards. */
  static async appoint(scene: Scene, effect: Effect, writes: number): Promise<EffectJudge> {
    const { model, claim } = scene;
    await model.compare();
    model.suspect();
    return new EffectJudge(scene, effect, writes, {
      unconvertible: model.verdicts.unconvertible.length > 0,
      waiting: model.waiting.length,
      drifted: model.isDrifted,
      columnIsGone: model.columnIsGone,
      paused: claim.isPaused,
    });
  }

  async judge(ending: Ending, circumstances: Circumstances): Promise<void> {
    const { model, carrier, table } = this.#scene;
    const { superseded } = circumstances;
    model.suspect();
    if (superseded !== null) same(await table.picture(), superseded, 'an effect was felt after its fence was raised');
    await model.compare();
    if (ending.ok) {
      this.#judgeEyes();
      carrier.take(this.#effect, ending.facts);
      this.#judgeFacts(ending.facts);
      return;
    }
    const { failure } = ending;
    const excused = this.#excuses(failure, circumstances);
    holds(excused, `${this.#effect.what} failed with ${failure}, and nothing was there to excuse it`);
    if (failure !== 'TARGET_UNREACHABLE' && superseded === null) carrier.park(failure);
  }

  /** What was gone all the time has to be noticed by whoever needs it. */
  #judgeEyes(): void {
    const { what } = this.#effect;
    const unseen =
      (this.#before.drifted && this.#scene.model.isDrifted && ['backfill', 'cutover'].includes(what)) ||
      (this.#before.columnIsGone && what === 'contract');
    holds(!unseen, `${what} has not noticed that our trigger or column is gone`);
  }

  #excuses(failure: string, { faulty, superseded, drifted }: Circumstances): boolean {
    const { verdicts, columnIsGone } = this.#scene.model;
    const { what } = this.#effect;
    const unconvertible = this.#before.unconvertible || verdicts.unconvertible.length > 0;
    return (
      (failure === 'TARGET_UNREACHABLE' && (faulty || superseded !== null)) ||
      (['FENCED', 'LOCK_NOT_ACQUIRED'].includes(failure) && superseded !== null) ||
      (failure === 'TARGET_DRIFTED' && drifted) ||
      (failure === 'SQL_FAILED' && columnIsGone) ||
      (failure === 'SQL_FAILED' && what === 'backfill' && unconvertible) ||
      (failure === 'SQL_FAILED' && what === 'cutover: long' && verdicts.wrong.length > 0)
    );
  }

  #judgeFacts(facts: unknown): void {
    const { model, transactions, claim } = this.#scene;
    const { activity } = this.#effect;
    const quiet = model.writes === this.#writes && !transactions.oneIsHeld;
    if (activity === 'checkRows' && quiet) this.#judgeCheck(facts as CheckFacts);
    if (activity !== 'backfill') return;
    const { finished, paused } = facts as BackfillFacts;
    const left = model.waiting;
    if (finished) same(left, [], 'rows were left behind by a backfill that says that it is finished');
    if (!this.#before.paused || !claim.isPaused) return;
    holds(paused, 'a backfill has not seen that it is paused');
    if (quiet) same(left.length, this.#before.waiting, 'a paused backfill has changed rows');
  }

  #judgeCheck(facts: CheckFacts): void {
    const { verdicts, size } = this.#scene.model;
    const { what } = this.#effect;
    const [wrong, lossy] =
      what === 'preflight' ? [verdicts.inconvertible, verdicts.roundTripLosses] : [verdicts.wrong, verdicts.lossy];
    same(facts.finished, true);
    same(facts.seen, size, `${what} has not seen every row once`);
    same(facts.wrong, wrong.length, `${what} counts other rows as wrong than the oracle`);
    if (wrong.length === 0) same(facts.lossy, lossy.length, `${what} counts other rows as lossy than the oracle`);
  }
}
