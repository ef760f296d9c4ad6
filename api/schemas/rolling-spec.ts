import { Type } from 'typebox';
import { approve, images, namespaced, onFailure, podCount, podTimes, target } from './release-parts.ts';
import { specName, strategy } from './spec-parts.ts';
import { closed } from './words.ts';

/** Other pods of a workload. */
export const RollingSpecSchema = closed(
  {
    name: specName('checkout-4-2'),
    strategy: strategy('rolling', 'Another image for the pods of a Deployment, a few of them at a time'),
    target,
    workload: namespaced('namespace/name of a Deployment', 'data-platform/spark-worker'),
    images,
    surge: Type.Optional(podCount('Pods beyond the wanted number, while it rolls; default 2')),
    unavailable: Type.Optional(podCount('Pods that may be missing; default 1')),
    ...podTimes,
    approve: approve('Who must allow it'),
    onFailure,
  },
  'Another image for the pods of a Deployment',
);
