import type { ScalingStage } from '../../contracts/plan.ts';
import { setScaling } from '../activities.ts';
import type { Run } from '../run.ts';
import { promote, type StageRunner } from './stage.ts';

/** Less traffic, or pods beyond the wanted number, must not have an autoscaler remove pods that are needed to go back. */
export const scaling: StageRunner<'scaling'> = {
  prepare: null,
  async perform(stage, run) {
    await set(stage, stage.held, run);
    return promote(stage.held ? 'scaling down is off' : 'they scale as before');
  },
  undo: (stage, run) => set(stage, !stage.held, run),
};

async function set({ name, autoscalers }: ScalingStage, held: boolean, run: Run): Promise<void> {
  for (const autoscaler of autoscalers) {
    const what = held ? 'scale up only' : 'scale as before';
    await setScaling(`${name}: ${autoscaler.name}: ${what}`, { site: run.effect(), autoscaler, held });
  }
}
