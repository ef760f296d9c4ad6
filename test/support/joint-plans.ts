import type { JointPlan } from '../../contracts/plan.ts';
import { hashOf } from '../../decisions/hash.ts';
import { joined } from '../../decisions/strategies/release.ts';
import { testPlan, type PlanWishes } from './plans.ts';
import { canaryPlan, lookingOften } from './release-plans.ts';

/** A plan of a table and a service. */
export function jointPlan(taskQueue: string, wishes: PlanWishes = {}): JointPlan {
  const parts = [testPlan({ ...wishes, taskQueue }), lookingOften(canaryPlan(taskQueue))];
  const { risk, ...rest } = joined(parts);
  const plan: Omit<JointPlan, 'hash'> = {
    format: 1,
    specHash: hashOf(wishes),
    name: 'checkout-4-3',
    strategy: 'release',
    environment: 'test',
    target: 'shop, k8s',
    dialect: 'several',
    taskQueue,
    // of the spec nothing is read once there is a plan
    spec: { name: 'checkout-4-3', strategy: 'release', tables: [], services: [] },
    parts: parts.map((part) => ({ ...part, stages: [] })),
    ...rest,
    risk: { ...risk, pointOfNoReturn: 'contract' },
    onFailure: 'rollback',
  };
  return { ...plan, hash: hashOf(plan) };
}
