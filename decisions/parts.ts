import type { PartPlan, Plan } from '../contracts/plan.ts';

/** Everything that a plan is about; most are about one thing. */
export const partsOf = (plan: Plan): readonly PartPlan[] => (plan.dialect === 'several' ? plan.parts : [plan]);

/** What the stage at that place is about; beyond either end, what the one beside it is. */
export function partAt(plan: Plan, at: number): PartPlan {
  const place = Math.min(Math.max(at, 0), plan.stages.length - 1);
  const part = partsOf(plan)[plan.stages[place]?.part ?? 0];
  if (part === undefined) throw new TypeError(`the plan has no part for stage ${place}`);
  return part;
}
