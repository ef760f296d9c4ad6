import { randomUUID } from 'node:crypto';
import type { Phase } from '../contracts/catalog.ts';
import type { Actor } from '../contracts/messages.ts';
import type { Spec } from '../contracts/spec.ts';
import { hashOf } from '../decisions/hash.ts';
import { specHash } from '../decisions/plan-deployment.ts';
import { specDifference } from '../decisions/spec-difference.ts';
import type { CheckedSpec } from './make-plan.ts';
import { Refusal } from './problems.ts';
import { isAbandoned, type Wish } from './start-deployment.ts';

/** No caller has this name: names have no blanks. */
const scope = 'lakeshift apply';

/**
 * The wish to start an applied spec after `previous`, the last deployment of its name. Its key follows from the name and
 * from that alone, neither from who asks nor from the spec: whoever applies at the same moment meets the same
 * reservation, with the same spec as with another one.
 */
export const applyWish = (checked: CheckedSpec, actor: Actor, previous: string | null, pointer: string): Wish => ({
  ...checked,
  specHash: specHash(checked.spec),
  planHash: null,
  actor,
  keyScope: scope,
  keyHash: hashOf([checked.spec.name, previous]),
  attempt: randomUUID(),
  refuseOther: (kept) =>
    isAbandoned(kept)
      ? null
      : specDiffers({ id: kept.id, phase: 'starting', spec: kept.plan.spec }, checked.spec, pointer),
});

/** What is under way under a name. */
interface UnderWay {
  readonly id: string;
  readonly phase: Phase;
  /** Null: the ledger does not know it. */
  readonly spec: unknown;
}

/** The refusal of a spec whose name is under way with another one, with every field that differs. */
export function specDiffers({ id, phase, spec: underWay }: UnderWay, spec: Spec, pointer: string): Refusal {
  const detail = `${id} is under way (${phase}) with another spec`;
  const known = underWay !== null && underWay !== undefined;
  const difference = known ? specDifference(underWay, spec, pointer) : [];
  const unknown = known ? '' : ', which the ledger does not know: see `lakeshift ledger rebuild`';
  return new Refusal('SPEC_DIFFERS', detail, {
    holder: id,
    errors: [{ pointer, detail: `${detail}${unknown}` }, ...difference],
  });
}
