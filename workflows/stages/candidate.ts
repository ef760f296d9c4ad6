import type { CandidateStage, RetireStage } from '../../contracts/plan.ts';
import type { WorkloadRef } from '../../contracts/workload.ts';
import { standUp, takeDown } from '../activities.ts';
import type { Run } from '../run.ts';
import { untilReady } from './pods.ts';
import { again, promote, type StageRunner } from './stage.ts';

/** Has it as the plan says. */
export const bringUp = ({ candidate: made, name }: CandidateStage | RetireStage, run: Run): Promise<void> =>
  standUp(`${name}: ${made.name}`, { site: run.effect(), candidate: made });

/** Nothing is sent to it any more. */
export const remove = ({ candidate: made, name }: CandidateStage | RetireStage, run: Run): Promise<void> =>
  takeDown(`${name}: remove ${made.name}`, { site: run.effect(), candidate: made });

/** The candidate's own workload. */
export const workloadOf = ({ candidate: { of, name } }: CandidateStage | RetireStage): WorkloadRef => ({
  kind: 'Deployment',
  namespace: of.namespace,
  name,
});

/** Brings the candidate up; it is ready before anything is sent to it. */
export const candidate: StageRunner<'candidate'> = {
  prepare: null,
  async perform(stage, run) {
    await bringUp(stage, run);
    const status = await untilReady(workloadOf(stage), stage.name, run);
    if (status === null) return again;
    return status.done
      ? promote(`${status.updated} pods are ready`, { pods: status.updated })
      : { next: 'fail', failure: { code: 'ROLLOUT_STUCK', detail: `${stage.candidate.name}: ${status.because}` } };
  },
  undo: remove,
};
