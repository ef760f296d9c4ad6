import type { Plan } from '../contracts/plan.ts';
import { partsOf } from '../decisions/parts.ts';
import { specHash } from '../decisions/plan-deployment.ts';
import type { KeptPlan } from '../ledger/index.ts';
import type { ApiDependencies } from './deps.ts';
import type { CheckedSpec } from './make-plan.ts';
import { Refusal } from './problems.ts';

/** How long a plan that was shown may be started, ms: its preflight looks again at what matters, but not at everything. */
const usableFor = 3_600_000;

/** The very plan that was shown for a spec; throws PLAN_STALE when it can't be used, and says why. */
export async function findShownPlan(
  { config, reader }: Pick<ApiDependencies, 'config' | 'reader'>,
  hash: string,
  checked: CheckedSpec,
): Promise<Plan> {
  const kept = await reader.findPlan(hash);
  if (kept === null) throw stale(hash, 'is not known here');
  const because = whyNot(config, kept, checked);
  if (because !== null) throw stale(hash, because);
  return kept.plan;
}

function whyNot(
  { environment, homeSchema }: ApiDependencies['config'],
  { plan, madeAt }: KeptPlan,
  { spec, taskQueue }: CheckedSpec,
): string | null {
  if (Date.now() - madeAt >= usableFor) return 'was made more than an hour ago';
  if (plan.specHash !== specHash(spec)) return `is of another spec, ${plan.name}`;
  const isOfThisService =
    plan.environment === environment &&
    partsOf(plan).every(({ object }) => !('homeSchema' in object) || object.homeSchema === homeSchema) &&
    plan.taskQueue === taskQueue;
  return isOfThisService ? null : 'was made under another configuration of the service';
}

const stale = (hash: string, because: string): Refusal =>
  new Refusal('PLAN_STALE', `the plan ${hash.slice(0, 8)}… ${because}; ask for a new one and look at it`);
