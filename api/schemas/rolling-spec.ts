import { Type } from 'typebox';
import { workloadKinds } from '../../contracts/catalog.ts';
import { durationPattern } from '../../decisions/duration.ts';
import { approve, images, namespaced, onFailure, podCount, podTimes, target } from './release-parts.ts';
import { Notify, specName, strategy } from './spec-parts.ts';
import { Validate } from './validate-spec.ts';
import { closed, text } from './words.ts';

const Batches = closed(
  {
    size: Type.Union(
      [
        Type.Integer({ minimum: 1, maximum: 1_000, description: 'A number' }),
        Type.String({ pattern: '^(?:100|[1-9]\\d?)%$', description: 'A share', examples: ['25%'] }),
      ],
      { description: 'Pods of each', examples: [2, '25%'] },
    ),
    validate: Type.Optional(Validate),
    pause: Type.Optional(text('Between two of them', { pattern: durationPattern, examples: ['10s'] })),
  },
  'Parts that the workload can\u2019t go beyond by itself',
);

/** Other pods of a workload. */
export const RollingSpecSchema = closed(
  {
    name: specName('checkout-4-2'),
    strategy: strategy('rolling', 'Another image for the pods of a workload, a few of them at a time'),
    target,
    workload: namespaced('namespace/name', 'data-platform/spark-worker'),
    kind: Type.Optional(Type.Enum([...workloadKinds], { description: 'What it is', default: 'Deployment' })),
    images,
    surge: Type.Optional(podCount('Pods beyond the wanted number, while it rolls; default 2')),
    unavailable: Type.Optional(podCount('Pods that may be missing; default 1')),
    ...podTimes,
    batches: Type.Optional(Batches),
    approve: approve('Who must allow it'),
    onFailure,
    notify: Notify,
  },
  'Another image for the pods of a workload',
);
