import { CancellationScope, condition } from '@temporalio/workflow';
import type { BackfillFacts, Site } from '../../contracts/activities.ts';
import { addFelt } from '../../decisions/felt.ts';
import { blindLimitMs } from '../../decisions/pace/share.ts';
import { countRows, currentRecord } from '../../decisions/progress.ts';
import { backfill as runSlice, steer } from '../activities.ts';
import type { Run } from '../run.ts';
import { again, park, promote, skipped, type StageRunner, type Turn } from './stage.ts';

/**
 * Rewrites the old rows, a slice of time per turn. What people order while a slice runs goes into the target at once,
 * where the slice sees it with its next chunk; paused, it hands back.
 */
export const backfill: StageRunner<'backfill'> = {
  prepare: null,
  async perform(stage, run) {
    if (!stage.needed) return skipped('no row has to be rewritten');
    const site = run.effect();
    const rate = run.rate();
    const rows = run.tablePlan.facts.rows;
    // A slice starts from what is wanted now: the one before may have been told to pause, or to go slower.
    const told = run.desk.rate !== undefined || (currentRecord(run.progress)?.rows ?? null) !== null;
    if (told) await tell(site, { paused: false, rate });
    const input = { site, stage: { ...stage, rate }, rows };
    const facts = await steered(run, site, () => runSlice(`backfill: slice ${site.turn}`, input));
    run.update(countRows(run.progress, facts.rows, Math.max(rows ?? 0, facts.rows)));
    return concluded(run, facts);
  },
  // The column that was filled goes with the undo of expand, and with it everything that was written.
  undo: null,
};

/** What a slice leads to. Without data of the application it has crawled; after a while a person has to look. */
function concluded(run: Run, facts: BackfillFacts): Turn {
  const { felt, blindForMs = 0, blindBecause } = facts;
  if (felt !== undefined) run.update({ ...run.progress, felt: addFelt(run.progress.felt, felt) });
  if (facts.finished) return promote(noteOf(facts));
  return blindForMs < blindLimitMs ? again : park('METRICS_BLIND', blindBecause ?? 'no data');
}

/** What the last slice says of the whole, and what it noticed. */
const noteOf = ({ rows, hotShare, notes = [] }: BackfillFacts): string => {
  const spared =
    typeof hotShare === 'number' ? `, ${Math.round(hotShare * 100)} % of them without touching an index` : '';
  return [`${rows} rows rewritten${spared}`, ...notes].join('; ');
};

interface Wanted {
  readonly paused: boolean;
  readonly rate: number | null;
}

/** An order to go back lets the present chunk end, not the whole slice: for the slice it is a pause. */
const wanted = (run: Run): Wanted => ({ paused: run.givesWay, rate: run.rate() });

/** Runs a slice and passes on what is ordered meanwhile. */
async function steered<T>(run: Run, site: Site, slice: () => Promise<T>): Promise<T> {
  const together = new CancellationScope();
  try {
    // Following orders never ends by itself; it ends the race only by its failure, and then the slice ends with it.
    return await together.run(() => Promise.race([slice(), followOrders(run, site)]));
  } finally {
    together.cancel();
  }
}

async function followOrders(run: Run, site: Site): Promise<never> {
  let told: Wanted = { paused: false, rate: run.rate() };
  for (;;) {
    await condition(() => differs(told, wanted(run)));
    told = wanted(run);
    await tell(site, told);
  }
}

const tell = (site: Site, { paused, rate }: Wanted): Promise<void> =>
  // The slice's own turn: a higher one would fence off the slice that is being told.
  steer(`steer: ${paused ? 'pause' : (rate ?? 'full speed')}`, { site, paused, rate });

const differs = (a: Wanted, b: Wanted): boolean => a.paused !== b.paused || a.rate !== b.rate;
