import type { Plan } from '../contracts/plan.ts';
import type { Spec } from '../contracts/spec.ts';

/** What a spec changes, as its author calls it. */
export function objectOf(spec: Spec): string {
  if (spec.strategy === 'expand-contract') return spec.table;
  return spec.strategy === 'blue-green' ? spec.service : spec.workload;
}

/** What a plan touches, for people. */
export const plannedObject = ({ object }: Pick<Plan, 'object'>): string =>
  'table' in object ? `${object.schema}.${object.table}` : `${object.namespace}/${object.name}`;
