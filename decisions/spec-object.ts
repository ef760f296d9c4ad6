import type { Spec } from '../contracts/spec.ts';
import type { Plan } from '../contracts/plan.ts';

/** What a spec changes, as its author calls it. */
export const objectOf = (spec: Spec): string => (spec.strategy === 'rolling' ? spec.workload : spec.table);

/** What a plan touches, for people. */
export const plannedObject = ({ object }: Pick<Plan, 'object'>): string =>
  'table' in object ? `${object.schema}.${object.table}` : `${object.namespace}/${object.name}`;
