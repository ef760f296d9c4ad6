import type { Plan } from '../contracts/plan.ts';
import type { Spec } from '../contracts/spec.ts';
import { partsOf } from './parts.ts';

/** Everything that a spec changes, with its target. */
export function objectsOf(spec: Spec): readonly { readonly target: string; readonly object: string }[] {
  if (spec.strategy === 'release')
    return [
      ...spec.tables.map(({ target, table }) => ({ target, object: table })),
      ...spec.services.map(({ target, workload }) => ({ target, object: workload })),
    ];
  const { target } = spec;
  if (spec.strategy === 'expand-contract') return [{ target, object: spec.table }];
  if (spec.strategy === 'model-canary') return [{ target, object: spec.model }];
  return [{ target, object: spec.strategy === 'blue-green' ? spec.service : spec.workload }];
}

/** What a spec changes, as its author calls it. */
export const objectOf = (spec: Spec): string =>
  objectsOf(spec)
    .map(({ object }) => object)
    .join(', ');

/** What a plan touches, for people. */
export const plannedObject = (plan: Plan): string =>
  partsOf(plan)
    .map(({ object }) => {
      if ('model' in object) return object.model;
      return 'table' in object ? `${object.schema}.${object.table}` : `${object.namespace}/${object.name}`;
    })
    .join(', ');
