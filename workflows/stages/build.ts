import type { AlterFacts } from '../../contracts/activities.ts';
import type { BuildStage, BuildStep } from '../../contracts/plan.ts';
import { alter, alterLong, buildIndex } from '../activities.ts';
import type { Run } from '../run.ts';
import { again, promote, type StageRunner } from './stage.ts';

/**
 * Makes on the new columns what hangs on the old ones. Each step finds out by itself whether it is done already, so an
 * order that comes between two steps ends the turn, and the next one goes through them once more.
 */
export const build: StageRunner<'build'> = {
  prepare: null,
  async perform(stage, run) {
    let lockMs = 0;
    for (const step of stage.steps) {
      if (run.givesWay) return again;
      lockMs = Math.max(lockMs, await perform(stage, step, run));
    }
    const indexes = stage.steps.filter(({ step }) => step === 'index').length;
    const made = indexes === 0 ? 'statistics read' : `${indexes} ${indexes === 1 ? 'index' : 'indexes'} made`;
    return promote(lockMs === 0 ? made : `${made}, locked for ${lockMs} ms at the most`, { lockMs });
  },
  async undo(stage, run) {
    for (const alteration of stage.undo) {
      await alter('undo build: remove what was made', { site: run.effect(), stage: stage.name, alteration });
    }
  },
};

/** Milliseconds for which the step locked the table. */
async function perform({ name: stage }: BuildStage, step: BuildStep, run: Run): Promise<number> {
  const summary = `${stage}: ${step.title}`;
  const site = run.effect();
  switch (step.step) {
    case 'index':
      await buildIndex(summary, { site, stage, index: step.index });
      return 0;
    case 'alter': {
      const facts: AlterFacts = await alter(summary, { site, stage, alteration: step.alteration });
      return facts.lockMs;
    }
    case 'long':
      await alterLong(summary, { site, statements: step.statements });
      return 0;
  }
}
