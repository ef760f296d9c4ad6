import type { AliasStage } from '../../contracts/plan.ts';
import { pointing } from '../../decisions/models/drift.ts';
import { setAlias } from '../activities.ts';
import type { Run } from '../run.ts';
import { heldStill } from './held-still.ts';
import { notUndone } from './not-undone.ts';
import { park, promote, type StageRunner } from './stage.ts';

/** Points an alias at another version. Where somebody else has pointed it stays, and a person is called. */
export const alias: StageRunner<'alias'> = {
  prepare: ({ holds, name }, run) => heldStill(holds, name, run),
  async perform(stage, run) {
    const { version, before } = stage;
    const found = await move(stage, { from: before, version }, run);
    return found === version ? promote(`it ${pointing(version)}`) : park('TARGET_DRIFTED', elsewhere(stage, found));
  },
  async undo(stage, run) {
    const { version, before } = stage;
    const found = await move(stage, { from: version, version: before }, run);
    if (found === before) return;
    // once: who then orders a retry has looked, and wants it where it is
    if (run.progress.verdict?.decision === 'hold') {
      run.note('finding', `${stage.name}: ${elsewhere(stage, found)}; it is left there`, { version: found });
      return;
    }
    run.update({ ...run.progress, verdict: { decision: 'hold', because: elsewhere(stage, found) } });
    throw notUndone('TARGET_DRIFTED', elsewhere(stage, found));
  },
};

type Move = Pick<Parameters<typeof setAlias>[1], 'from' | 'version'>;

async function move({ name, alias: moved }: AliasStage, to: Move, run: Run): Promise<string | null> {
  const summary = `${name}: ${moved} to ${to.version ?? 'none'}`;
  return (await setAlias(summary, { site: run.effect(), alias: moved, ...to })).version;
}

const elsewhere = ({ alias: moved, before, version }: AliasStage, found: string | null): string =>
  `alias ${moved} ${pointing(found)}, and neither to ${before ?? 'none'} nor to ${version}`;
