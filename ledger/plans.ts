import type { Plan } from '../contracts/plan.ts';
import type { Ledger } from './connect.ts';
import { toJson } from './json.ts';

/** A plan that was shown, and when it was last made; epoch ms. */
export interface KeptPlan {
  readonly plan: Plan;
  readonly madeAt: number;
}

/** How long a plan is kept at least, ms. */
const keptFor = 86_400_000;

/** How often one process looks for plans that are too old, ms. */
const tidyEvery = 3_600_000;

/** Gives the function that keeps a plan made at `at` (epoch ms); the same plan again is only as fresh as its last making. */
export function createPlanKeeper(ledger: Ledger): (plan: Plan, at: number) => Promise<void> {
  let tidiedAt = Number.NEGATIVE_INFINITY;
  return async (plan, at) => {
    await keep(ledger, plan, at);
    if (at - tidiedAt < tidyEvery) return;
    tidiedAt = at;
    await ledger
      .deleteFrom('plans')
      .where('made_at', '<', new Date(at - keptFor))
      .execute();
  };
}

async function keep(ledger: Ledger, plan: Plan, at: number): Promise<void> {
  await ledger
    .insertInto('plans')
    .values({
      hash: plan.hash,
      spec_hash: plan.specHash,
      name: plan.name,
      target: plan.target,
      plan: toJson(plan),
      made_at: new Date(at),
    })
    .onConflict((conflict) =>
      conflict
        .column('hash')
        .doUpdateSet((eb) => ({ made_at: eb.fn<Date>('greatest', ['plans.made_at', 'excluded.made_at']) })),
    )
    .execute();
}

/** The plan of a hash; null: it was never shown here, or too long ago. */
export async function findPlan(ledger: Ledger, hash: string): Promise<KeptPlan | null> {
  const row = await ledger.selectFrom('plans').select(['plan', 'made_at']).where('hash', '=', hash).executeTakeFirst();
  if (row === undefined) return null;
  return { plan: row.plan as Plan, madeAt: row.made_at.getTime() }; // `keep` writes nothing else
}
