import { Type } from 'typebox';
import { failurePolicies } from '../../contracts/catalog.ts';
import { wordForms } from '../../decisions/spec-words.ts';
import { durationPattern } from '../../decisions/duration.ts';
import { Group, Notify, specName, strategy } from './spec-parts.ts';
import { closed, text } from './words.ts';

const podCount = (description: string) =>
  Type.Union(
    [
      Type.Integer({ minimum: 0, maximum: 1_000, description: 'A number' }),
      Type.String({ pattern: '^(?:100|[1-9]?\\d)%$', description: 'A share', examples: ['25%'] }),
    ],
    {
      description,
      examples: [2, '25%'],
    },
  );
const time = (description: string, usual: string) =>
  Type.Optional(text(description, { pattern: durationPattern, default: usual, examples: [usual] }));

/** Other pods of a workload. */
export const RollingSpecSchema = closed(
  {
    name: specName('checkout-4-2'),
    strategy: strategy('rolling', 'Another image for the pods of a Deployment, a few of them at a time'),
    target: text('Name of a cluster in the configuration', {
      pattern: wordForms.target.source,
      examples: ['k8s-data'],
    }),
    workload: text('namespace/name of a Deployment', {
      pattern: wordForms.workload.source,
      examples: ['data-platform/spark-worker'],
    }),
    images: Type.Record(
      Type.String({ pattern: wordForms.container.source }),
      text('An image', { pattern: wordForms.image.source }),
      {
        description: 'The image by the name of its container',
        minProperties: 1,
        examples: [{ app: 'registry.example/app:4.2' }],
      },
    ),
    surge: Type.Optional(podCount('Pods beyond the wanted number, while it rolls; default 2')),
    unavailable: Type.Optional(podCount('Pods that may be missing; default 1')),
    grace: time('How long a pod that goes may finish what it has begun', '300s'),
    drain: time('How long a pod that goes still serves, until every router has heard of it', '10s'),
    deadline: time('How long it may stand still before it is taken back', '600s'),
    approve: Type.Optional(
      Type.Union([Type.Boolean({ description: 'true: any approver; false: nobody' }), Group], {
        description: 'Who must allow it',
      }),
    ),
    onFailure: Type.Optional(
      Type.Enum([...failurePolicies], {
        description: 'What happens when it is broken: a person is called, or all is taken back',
        default: 'rollback',
      }),
    ),
    notify: Notify,
  },
  'Another image for the pods of a Deployment',
);
