import type { ShadowFacts } from '../../contracts/shadow.ts';
import type { ShadowStage } from '../../contracts/plan.ts';
import { agreementWords, judgeShadow, untilLook } from '../../decisions/judge-shadow.ts';
import { compared, comparedAnew, comparedForGood, measured, shadowOf } from '../../decisions/shadow.ts';
import { compareSides } from '../activities.ts';
import type { Run } from '../run.ts';
import { unless } from '../unless.ts';
import { again, park, promote, type StageRunner, type Turn } from './stage.ts';

/**
 * Asks both sides, a slice of time per turn, until a look at what they have answered decides. Paused, nobody is asked;
 * a slice that is cut off is asked again.
 */
export const shadow: StageRunner<'shadow'> = {
  prepare: null,
  async perform(stage, run) {
    if (shadowOf(run.progress).over === true) run.update(comparedAnew(run.progress));
    const facts = await ask(stage, run);
    if (facts === null) return again;
    run.update(compared(run.progress, facts, Date.now()));
    const { compared: sum } = shadowOf(run.progress);
    return stage.looks.includes(sum) ? look(stage, run) : (silence(stage, run) ?? again);
  },
  undo: null,
};

/** Null: an order came first. */
function ask(stage: ShadowStage, run: Run): Promise<ShadowFacts | null> {
  const { compared: sum, next } = shadowOf(run.progress);
  const wanted = untilLook(stage, sum);
  const input = { deployment: run.input.id, target: run.target, stage, next, wanted };
  return unless(
    () => run.givesWay,
    () => compareSides(`${stage.name}: ${sum} compared, ${wanted} until the next look`, input),
  );
}

function look(stage: ShadowStage, run: Run): Turn {
  run.update(measured(run.progress, stage));
  const seen = shadowOf(run.progress);
  const verdict = judgeShadow(stage, seen);
  run.update({ ...run.progress, verdict });
  const { low, high } = seen.interval ?? { low: null, high: null };
  run.note('verdict', `${stage.name}: ${verdict.decision}: ${verdict.because}`, {
    ...verdict,
    compared: seen.compared,
    agreed: seen.agreed,
    low,
    high,
  });
  if (verdict.decision === 'promote') return promote(agreementWords(seen), figures(run));
  if (verdict.decision === 'rollback' && stage.onFail === 'rollback') return { next: 'back', because: verdict.because };
  return verdict.decision === 'hold' && untilLook(stage, seen.compared) > 0 ? again : held(verdict.because, run);
}

/** What was compared is shown until somebody tries again. */
function held(because: string, run: Run): Turn {
  run.update(comparedForGood(run.progress));
  return park('GATE_HELD', because);
}

/** Nothing was compared for longer than is borne: a person is called; null: not yet. */
function silence({ blindForMs }: ShadowStage, run: Run): Turn | null {
  const { silentSince, silent } = shadowOf(run.progress);
  if (silentSince === null || Date.now() - silentSince < blindForMs) return null;
  return held(`the stable side has not answered, or with 5xx, to ${silent} requests`, run);
}

/** What the ledger keeps beside the words. */
function figures(run: Run) {
  const { compared: of, agreed, silent, latency } = shadowOf(run.progress);
  const { stable, candidate } = latency;
  return {
    compared: of,
    agreed,
    silent,
    p50Ms: { stable: stable.p50Ms, candidate: candidate.p50Ms },
    p99Ms: { stable: stable.p99Ms, candidate: candidate.p99Ms },
  };
}
