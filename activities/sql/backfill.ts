import type { BackfillFacts, Site } from '../../contracts/activities.ts';
import type { BackfillStage } from '../../contracts/plan.ts';
import { sessionName } from './home.ts';
import { workTogether } from './lane.ts';
import { Pacer, type PacerContext } from './pacer.ts';
import { ProgressTeller, type TellProgress } from './progress-teller.ts';
import { withSession, type TargetConnection } from './session.ts';
import { Shards } from './shards.ts';
import { Striping } from './striping.ts';
import { Vacuuming } from './vacuuming.ts';

/**
 * Works on chunks for one slice of time and hands back. The watermarks are in the target, in the same transaction as the
 * rows, behind a fence that a newer attempt raises: whatever happens to this process, each chunk is effective once.
 */
export async function backfill(
  target: TargetConnection,
  input: { readonly site: Site; readonly stage: BackfillStage; readonly rows: number | null },
  tell: TellProgress,
  pacing: PacerContext,
): Promise<BackfillFacts> {
  const { site, stage } = input;
  if (!stage.needed) return { finished: true, rows: 0, paused: false, deferred: 0, pace: 'nothing to rewrite' };
  return withSession(target, sessionName(site), async (control) => {
    const shards = await Shards.open(control, site, stage);
    const striping = new Striping(control, stage);
    await striping.watch();
    const until = Date.now() + stage.sliceMs;
    const quiet = shards.total === 0;
    const pacer = await Pacer.open(target, { site, stage, quiet }, pacing);
    const teller = new ProgressTeller(site.deployment, stage.name, tell, input.rows);
    const vacuuming = new Vacuuming(target, { site, stage, quiet }, pacer.memory.vacuum);
    try {
      let pace: string;
      do
        pace = await shards.trusting(() =>
          workTogether({ target, site, stage, shards, pacer, striping, vacuuming, teller, until }),
        );
      while ((await shards.settle()) && !shards.paused && Date.now() < until);
      await shards.flush();
      await teller.last(shards.total, shards.share, shards.paused ? 'paused' : pace);
      const { finished, total, paused, deferred, hotShare } = shards;
      if (finished) pacer.forget();
      const notes = [...shards.notes, ...striping.notes, ...vacuuming.notes];
      const { ms: blindForMs, because: blindBecause } = pacer.blind();
      const felt = pacer.felt();
      return { finished, rows: total, paused, deferred, pace, hotShare, notes, felt, blindForMs, blindBecause };
    } finally {
      await vacuuming.close();
      await pacer.close();
    }
  });
}
