import type { HeldObject, PlannedObject } from '../contracts/workload.ts';

/** Everything that a deployment in a cluster holds; the first is what it is known by. */
export const heldObjects = ({ also = [], ...object }: PlannedObject): readonly HeldObject[] => [object, ...also];
