import { Type } from 'typebox';
import { ServicePart } from './canary-spec.ts';
import { onFailure } from './release-parts.ts';
import { Notify, specName, strategy } from './spec-parts.ts';
import { TablePart } from './table-spec.ts';
import { closed } from './words.ts';

/** Tables and services in one plan. */
export const JointSpecSchema = closed(
  {
    name: specName('checkout-4-3'),
    strategy: strategy('release', 'Tables and services in one plan, with one order of undo'),
    tables: Type.Array(TablePart, {
      minItems: 1,
      maxItems: 5,
      description: 'Each as a spec of expand-contract has it, with a name of its own for what changes its type',
    }),
    services: Type.Array(ServicePart, {
      minItems: 1,
      maxItems: 5,
      description: 'Each as a spec of canary has it, one after the other',
    }),
    onFailure,
    notify: Notify,
  },
  'The new shape is there before the new version, and the old one goes when nobody needs it',
);
