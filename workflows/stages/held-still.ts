import type { ModelHolds } from '../../contracts/model.ts';
import { driftOf, questionOf } from '../../decisions/models/drift.ts';
import { readModel } from '../activities.ts';
import type { Run } from '../run.ts';
import { park, type Turn } from './stage.ts';

/** Looks whether the registry still says what was planned; null: it does. */
export async function heldStill(holds: ModelHolds, stage: string, run: Run): Promise<Turn | null> {
  const state = await readModel(`${stage}: what does the registry say?`, {
    target: run.target,
    question: questionOf(holds),
  });
  const drift = driftOf(holds, state);
  return drift === null ? null : park('TARGET_DRIFTED', drift);
}
