import { Type } from 'typebox';
import { failurePolicies, workloadKinds } from '../../contracts/catalog.ts';
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

const timeout = Type.Optional(
  text('How long an answer may take; default 2s', { pattern: durationPattern, examples: ['2s'] }),
);
const address = text('host:port', { pattern: '^[^\\s/]+:\\d{1,5}$', examples: ['checkout.shop:8080'] });
const Probe = Type.Union(
  [
    closed(
      {
        http: text('An address', { pattern: '^https?://\\S+$', examples: ['http://checkout.shop/health'] }),
        status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599, default: 200, description: 'HTTP status' })),
        timeout,
      },
      'An HTTP request',
    ),
    closed({ tcp: address, timeout }, 'A connection'),
    closed(
      {
        grpc: address,
        service: Type.Optional(text('Name of a gRPC service', { minLength: 1, examples: ['shop.Checkout'] })),
        timeout,
      },
      'The health check of gRPC',
    ),
  ],
  { description: 'One question' },
);
const Validate = closed(
  {
    probes: Type.Array(Probe, { minItems: 1, maxItems: 10, description: 'What is asked' }),
    tries: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000, default: 30, description: 'How often at the most' }),
    ),
    every: time('Between two tries', '2s'),
    needs: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, default: 3, description: 'How many good answers in a row' }),
    ),
  },
  'What has to answer after each batch',
);
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
    target: text('Name of a cluster in the configuration', {
      pattern: wordForms.target.source,
      examples: ['k8s-data'],
    }),
    workload: text('namespace/name', {
      pattern: wordForms.workload.source,
      examples: ['data-platform/spark-worker'],
    }),
    kind: Type.Optional(Type.Enum([...workloadKinds], { description: 'What it is', default: 'Deployment' })),
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
    deadline: time('How long it may stand still, or a batch may take, before it is taken back', '600s'),
    batches: Type.Optional(Batches),
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
  'Another image for the pods of a workload',
);
