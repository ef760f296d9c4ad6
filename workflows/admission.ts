import { ApplicationFailure, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import type { Failure } from '../contracts/failures.ts';
import { acceptUpdate } from '../contracts/messages.ts';
import type { PartPlan } from '../contracts/plan.ts';
import type { Status } from '../contracts/progress.ts';
import { plannedObject } from '../decisions/spec-object.ts';
import { claim, releaseIfPossible } from './activities.ts';
import { failureOf } from './failure-of.ts';
import type { Run } from './run.ts';

/** Why a deployment may not start. */
export interface Rejection extends Failure {
  /** The deployment that holds the table, when that is the reason. */
  readonly holder: string | null;
}

/** Answers whoever started the deployment. */
export interface Admission {
  /** Takes the table; null: it is ours, otherwise the workflow has to fail with what is answered. */
  admit(): Promise<Rejection | null>;
}

/**
 * Opens the door: `accept` answers once the table is claimed. Nothing is recorded of a
 * deployment that was not admitted: its id may be used again, and then its events begin anew.
 */
export function openDoor(run: Run): Admission {
  let verdict: Rejection | 'admitted' | null = run.input.carried === undefined ? null : 'admitted';
  setHandler(
    defineUpdate<Status, [unknown?]>(acceptUpdate),
    async () => {
      await condition(() => verdict !== null);
      if (verdict !== null && verdict !== 'admitted') throw rejected(verdict);
      return run.status();
    },
    { description: 'Answers with the status once the deployment holds its table' },
  );
  return {
    async admit() {
      if (verdict === 'admitted') return null;
      const rejection = await claimAll(run);
      verdict = rejection ?? 'admitted';
      if (rejection === null)
        run.note('started', `${run.plan.name} started by ${run.input.startedBy.name}`, started(run));
      return rejection;
    },
  };
}

/** The failure that both the workflow and `accept` end with. */
export const rejected = ({ code, detail, holder }: Rejection): ApplicationFailure =>
  ApplicationFailure.create({
    message: detail,
    type: code,
    nonRetryable: true,
    details: holder === null ? [] : [{ holder }],
  });

/** Takes everything that the plan touches, or nothing. */
async function claimAll(run: Run): Promise<Rejection | null> {
  const taken: PartPlan[] = [];
  for (const part of run.parts) {
    const rejection = await claimPart(run, part);
    if (rejection === null) taken.push(part);
    else {
      for (const other of taken) await giveBack(run, other);
      return rejection;
    }
  }
  return null;
}

async function claimPart(run: Run, plan: PartPlan): Promise<Rejection | null> {
  const object = plannedObject(plan);
  try {
    const result = await claim(`claim ${object} on ${plan.target}`, { site: run.effect(plan), plan });
    if (result.held) return null;
    return { code: 'TARGET_TAKEN', detail: `${result.holder} holds ${object}`, holder: result.holder };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === null) throw error;
    await giveBack(run, plan);
    return { ...failure, holder: null };
  }
}

/** A claim without an answer may have been granted: nobody would ever give that lock back. */
async function giveBack(run: Run, part: PartPlan): Promise<void> {
  try {
    await releaseIfPossible('give back what may have been claimed', { site: run.effect(part) });
  } catch (error) {
    if (failureOf(error) === null) throw error;
  }
}

const started = ({ plan, input }: Run) => ({
  actor: { ...input.startedBy, groups: [...input.startedBy.groups] },
  planHash: plan.hash,
  target: plan.target,
});
