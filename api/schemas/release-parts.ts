import { Type, type TSchema } from 'typebox';
import { failurePolicies } from '../../contracts/catalog.ts';
import { durationPattern } from '../../decisions/duration.ts';
import { releaseForms } from '../../decisions/release-fields.ts';
import { wordForms } from '../../decisions/spec-words.ts';
import { Group } from './spec-parts.ts';
import { closed, text, whole, yesNo } from './words.ts';

/** A field that may be left out, of a duration. */
export const time = (description: string, usual: string) =>
  Type.Optional(text(description, { pattern: durationPattern, default: usual, examples: [usual] }));

/** A text that says something. */
export const filled = (description: string, example: string) =>
  text(description, { pattern: releaseForms.filled.source, examples: [example] });

/** A number of pods, or a share of them. */
export const podCount = (description: string) =>
  Type.Union(
    [
      Type.Integer({ minimum: 0, maximum: 1_000, description: 'A number' }),
      text('A share', { pattern: releaseForms.podShare.source, examples: ['25%'] }),
    ],
    { description, examples: [2, '25%'] },
  );

/** `false`, or something. */
export const orFalse = (schemas: readonly TSchema[], description: string) =>
  Type.Union([Type.Literal(false, { description: 'No' }), ...schemas], { description });

export const target = text('Name of a cluster in the configuration', {
  pattern: wordForms.target.source,
  examples: ['k8s-data'],
});

/** `namespace/name` of an object. */
export const namespaced = (description: string, example: string) =>
  text(description, { pattern: wordForms.workload.source, examples: [example] });

/** The name of an object in the same namespace. */
export const objectName = (description: string, example: string) =>
  text(description, { pattern: wordForms.container.source, examples: [example] });

export const images = Type.Record(
  Type.String({ pattern: wordForms.container.source }),
  text('An image', { pattern: wordForms.image.source }),
  {
    description: 'The image by the name of its container',
    minProperties: 1,
    examples: [{ app: 'registry.example/app:4.2' }],
  },
);

export const grace = time('How long a pod that goes may finish what it has begun', '300s');
export const deadline = time('How long new pods may stand still before it is broken; 1s or longer', '600s');
/** How pods come and go. */
export const podTimes = {
  grace,
  drain: time('How long a pod that goes still serves, until every router has heard of it', '10s'),
  deadline,
};

/** Who has to allow something. */
export const approve = (description: string) =>
  Type.Optional(
    Type.Union([yesNo('true: any approver; false: nobody'), Group], { description: `${description}; default nobody` }),
  );

export const onFailure = Type.Optional(
  Type.Enum([...failurePolicies], {
    description: 'What a stage that is broken leads to: a person is called, or all is taken back',
    default: 'rollback',
  }),
);

export const every = time('How often the route and the checks are looked at; 1s or longer', '1m');

const metricsName = text('Name of a metrics source in the configuration', {
  pattern: wordForms.target.source,
  examples: ['checkout-prometheus'],
});

const check = (of: string, max: TSchema) =>
  Type.Optional(
    closed({ query: filled(`PromQL of ${of}; one value`, 'sum(http_requests_total{app="x"})'), max }, `A bound: ${of}`),
  );
const longest = text('The longest time', { pattern: durationPattern, examples: ['300ms'] });

const counted = (side: string) =>
  closed(
    {
      part: filled('PromQL of a counter of those that are so; one value', `sum(right_total{side="${side}"})`),
      whole: filled('PromQL of a counter of all; one value', `sum(scored_total{side="${side}"})`),
    },
    `What is counted of the ${side} side`,
  );

const Compare = closed(
  {
    name: text('What it is called in plans and verdicts', {
      pattern: releaseForms.compared.source,
      examples: ['accuracy'],
    }),
    candidate: counted('candidate'),
    stable: counted('stable'),
    better: Type.Optional(
      Type.Enum(['more', 'less'], { description: 'Which part is the better one', default: 'more' }),
    ),
    margin: Type.Optional(
      text('How much worse is still as good, in percentage points', {
        pattern: releaseForms.percent.source,
        default: '1%',
      }),
    ),
    atLeast: Type.Optional(
      whole('With fewer counted on either side nothing is said', {
        minimum: 1,
        maximum: 1_000_000_000,
        default: 100,
      }),
    ),
  },
  'The candidate\u2019s part must not be worse than that of the stable side by more than the margin',
);

/** The property is said again, or strict readers of the schema take it for a misspelt one. */
const bound = (field: string) =>
  Type.Unsafe<unknown>({
    type: 'object',
    properties: { [field]: { description: `The bound for ${field}` } },
    required: [field],
    description: `It has a bound for ${field}`,
  });

/** So many of the last so many, which are a failure. */
export const fail = (of: string) =>
  Type.Optional(
    text(`So many of the last so many ${of} are a failure`, { pattern: releaseForms.fail.source, default: '3 of 5' }),
  );

/** What a step, or a whole release, is judged by. */
export const Checks = Type.Object(
  {
    metrics: metricsName,
    requests: filled(
      'PromQL of a counter of the candidate\u2019s requests; one value',
      'sum(requests_total{pod=~"x-.*"})',
    ),
    errors: check(
      'a counter of failed requests',
      text('The greatest share of the requests', { pattern: releaseForms.percent.source, examples: ['0.5%'] }),
    ),
    p95: check('the 95th percentile, in seconds', longest),
    p99: check('the 99th percentile, in seconds', longest),
    compare: Type.Optional(
      Type.Array(Compare, { minItems: 1, maxItems: 10, description: 'What is compared with the stable side' }),
    ),
    window: time('How long one window is; 1s or longer', '1m'),
    fail: fail('windows out of bounds'),
    atLeast: Type.Optional(
      whole('Requests without which a window says nothing', { minimum: 1, maximum: 1_000_000_000, default: 100 }),
    ),
    blindFor: time('After so long without data a person is called', '5m'),
    blind: Type.Optional(
      Type.Enum(['hold', 'rollback'], {
        description: 'What that leads to: a person, or all is taken back',
        default: 'hold',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Bounds, judged in windows; one of errors, p95, p99 and compare at least',
    anyOf: [bound('errors'), bound('p95'), bound('p99'), bound('compare')],
  },
);

const requests = {
  url: text('An address that is asked through the route; without user and password', {
    pattern: releaseForms.address.source,
    examples: ['http://checkout.shop.svc/version'],
  }),
  candidate: filled('What it says on the candidate', '4.2'),
  requests: Type.Optional(whole('How many requests make a look', { minimum: 50, maximum: 100_000, default: 400 })),
};

/** How it is seen where the traffic goes. */
export const Seen = orFalse(
  [
    closed(
      {
        ...requests,
        header: text('The header of an answer that tells the sides apart', {
          pattern: releaseForms.header.source,
          examples: ['x-version'],
        }),
      },
      'Requests of ours, told apart by a header of the answer',
    ),
    closed(
      {
        ...requests,
        json: text('A JSON pointer into the answer, to what tells the sides apart', {
          pattern: releaseForms.jsonPointer.source,
          examples: ['/version'],
        }),
      },
      'Requests of ours, told apart by a member of the answer',
    ),
    closed(
      {
        metrics: metricsName,
        candidate: filled('PromQL of a counter of the candidate\u2019s requests', 'sum(requests_total{v="4.2"})'),
        stable: filled('PromQL of a counter of the stable side\u2019s requests', 'sum(requests_total{v="4.1"})'),
      },
      'The requests of others, as metrics count them',
    ),
  ],
  'How it is seen where the traffic goes; false: only the route is read back',
);
