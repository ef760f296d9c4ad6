import { Type, type TSchema } from 'typebox';
import { releaseForms } from '../../decisions/release-fields.ts';
import { otherMethods, safeMethods, shadowForms } from '../../decisions/shadow-forms.ts';
import { approve, deadline, images, namespaced, objectName, onFailure, target, time } from './release-parts.ts';
import { Notify, specName, strategy } from './spec-parts.ts';
import { Validate } from './validate-spec.ts';
import { closed, text, whole, yesNo } from './words.ts';

const key = text('A key of it', { pattern: shadowForms.key.source, examples: ['requests.json'] });

/** A map of texts, one at least. */
const named = (name: RegExp, value: TSchema, description: string) =>
  Type.Record(Type.String({ pattern: name.source }), value, { description, minProperties: 1 });

const Variable = Type.Union(
  [
    closed(
      {
        value: text('A text; no secret, and no address that holds a password', { pattern: shadowForms.plain.source }),
      },
      'A text',
    ),
    closed({ secret: objectName('A Secret of the namespace', 'scoring-shadow'), key }, 'A key of a Secret'),
    closed({ configMap: objectName('A ConfigMap of the namespace', 'scoring-shadow'), key }, 'A key of a ConfigMap'),
  ],
  { description: 'What the variable is' },
);

const Writes = Type.Union(
  [
    Type.Enum(['none'], { description: 'It writes nothing: so the author declares' }),
    closed(
      {
        env: named(
          shadowForms.variable,
          Variable,
          'Variables that its containers have already, and that are other ones in the candidate',
        ),
      },
      'It writes elsewhere than the stable side',
    ),
  ],
  { description: 'What the candidate writes; there is no shadow without a word on it' },
);

const side = (description: string, example: string) =>
  text(`${description}; without path, user and password`, { pattern: shadowForms.side.source, examples: [example] });

const asked = {
  path: text('From the first slash on', { pattern: shadowForms.path.source, examples: ['/v1/score?id=7'] }),
  headers: Type.Optional(
    named(
      shadowForms.header,
      text('Its value', { pattern: shadowForms.headerValue.source }),
      'Headers, in lower case; no credentials',
    ),
  ),
};
const method = (names: readonly string[]) => Type.Enum([...names], { description: 'A method' });
const Asking = closed({ method: method(safeMethods), ...asked }, 'A request that changes nothing');
const Sending = closed(
  {
    method: method(otherMethods),
    ...asked,
    body: Type.Optional(text('Its body', { pattern: shadowForms.body.source, examples: ['{"features":[1]}'] })),
  },
  'A request of another method',
);
const requestList = (item: TSchema) =>
  Type.Array(item, { minItems: 1, maxItems: 100, description: 'The requests, in order' });
const harmless = Type.Literal(true, {
  description: 'To ask them again and again changes nothing on the stable side, whatever their method',
});
const Requests = Type.Union(
  [
    closed({ list: requestList(Asking) }, 'Requests that change nothing'),
    closed({ list: requestList(Type.Union([Asking, Sending], { description: 'A request' })), harmless }, 'Requests'),
    closed(
      {
        configMap: objectName(
          'A ConfigMap of the namespace, which holds a list of requests as JSON',
          'scoring-requests',
        ),
        key,
        harmless: Type.Optional(harmless),
      },
      'Requests in the cluster',
    ),
  ],
  { description: 'What both sides are asked, again and again' },
);

const pointer = text('A JSON pointer, with * for any one name or place in a list', {
  pattern: releaseForms.jsonPointer.source,
  examples: ['/items/*/id'],
});
const pointers = (description: string) =>
  Type.Optional(Type.Array(pointer, { minItems: 1, maxItems: 100, description }));
/** The property is said again, or strict readers of the schema take it for a misspelt one. */
const has = (field: string) =>
  Type.Unsafe<unknown>({
    type: 'object',
    properties: { [field]: { description: `By how much: ${field}` } },
    required: [field],
    description: `It has ${field}`,
  });
const Tolerance = Type.Object(
  {
    at: pointer,
    absolute: Type.Optional(Type.Number({ minimum: 0, maximum: 1e15, description: 'In the number\u2019s own unit' })),
    relative: Type.Optional(
      text('Part of the greater number', { pattern: releaseForms.percent.source, examples: ['0.1%'] }),
    ),
  },
  {
    additionalProperties: false,
    description: 'By how much two numbers may differ: within either',
    anyOf: [has('absolute'), has('relative')],
  },
);
const Compare = closed(
  {
    ignore: pointers('Left out, with all that is below'),
    tolerance: Type.Optional(
      Type.Array(Tolerance, { minItems: 1, maxItems: 100, description: 'Numbers that may differ a little' }),
    ),
    maps: pointers('Objects whose names are values, and are not shown'),
  },
  'What answers may differ in',
);

/** A candidate that is asked what the stable side is asked, and whose answers nobody gets. */
export const ShadowSpecSchema = closed(
  {
    name: specName('scoring-7'),
    strategy: strategy('shadow', 'A candidate answers the same requests, and its answers are only compared'),
    target,
    workload: namespaced('namespace/name of the Deployment in service', 'ml/scoring'),
    service: objectName('The Service of that Deployment', 'scoring'),
    images,
    replicas: Type.Optional(whole('Pods of the candidate', { minimum: 1, maximum: 1_000, default: 1 })),
    writes: Writes,
    sides: closed(
      {
        stable: side('Where the worker asks the stable side', 'http://scoring.ml.svc:8080'),
        candidate: side('And the candidate', 'http://scoring-candidate.ml.svc:8080'),
      },
      'Addresses of both sides',
    ),
    requests: Requests,
    compare: Type.Optional(Compare),
    agree: Type.Optional(
      text('The least share of answers that have to agree', {
        pattern: releaseForms.percent.source,
        default: '99%',
        examples: ['99%'],
      }),
    ),
    atLeast: Type.Optional(
      whole('Compared answers before it is judged', { minimum: 10, maximum: 1_000_000, default: 1_000 }),
    ),
    atMost: Type.Optional(
      whole('Compared answers after which a person is called; default 16 times atLeast', {
        minimum: 10,
        maximum: 10_000_000,
      }),
    ),
    rate: Type.Optional(whole('Requests a second', { minimum: 1, maximum: 1_000, default: 10 })),
    timeout: time('How long an answer may take', '2s'),
    noise: Type.Optional(yesNo('Ask the stable side twice, and forgive what it differs in from itself')),
    blindFor: time('After so long without an answer of the stable side a person is called; 1s or longer', '5m'),
    onFail: Type.Optional(
      Type.Enum(['rollback', 'hold'], {
        description: 'What too little agreement leads to: all is taken back; or it stays, and a person',
        default: 'rollback',
      }),
    ),
    validate: Type.Optional(Validate),
    deadline,
    approve: approve('Who must allow it'),
    onFailure,
    notify: Notify,
  },
  'A candidate beside a Deployment, whose answers are compared and thrown away',
);
