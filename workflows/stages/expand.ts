import { alter, alterLong } from '../activities.ts';
import { altered, type StageRunner } from './stage.ts';

/** Adds the new shape beside the old one, and the trigger that keeps both true. */
export const expand: StageRunner<'expand'> = {
  prepare: null,
  async perform(stage, run) {
    const input = { site: run.effect(), stage: stage.name, alteration: stage.perform };
    return altered(await alter('expand: add the new shape', input));
  },
  async undo(stage, run) {
    for (const alteration of stage.undo) {
      await alter('undo expand: drop what was added', { site: run.effect(), stage: stage.name, alteration });
    }
    if (stage.undoLong.length > 0) {
      await alterLong('undo expand: long statements', { site: run.effect(), statements: stage.undoLong });
    }
  },
};
