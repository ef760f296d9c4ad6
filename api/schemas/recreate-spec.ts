import { Type } from 'typebox';
import { deadline, grace, images, namespaced, onFailure, target } from './release-parts.ts';
import { Group, Notify, specName, strategy } from './spec-parts.ts';
import { closed } from './words.ts';

/** All pods end, then the new ones start. */
export const RecreateSpecSchema = closed(
  {
    name: specName('scheduler-3'),
    strategy: strategy('recreate', 'All pods end, then the new ones start: with downtime'),
    target,
    workload: namespaced('namespace/name of a Deployment', 'data-platform/scheduler'),
    images,
    accept: Type.Enum(['downtime'], { description: 'That nobody serves in between: there is no way without' }),
    grace,
    deadline,
    approve: Type.Optional(
      Type.Union([Type.Literal(true, { description: 'Any approver' }), Group], {
        description: 'Who must allow it; default any approver',
      }),
    ),
    onFailure,
    notify: Notify,
  },
  'All pods of a Deployment end, then the new ones start',
);
