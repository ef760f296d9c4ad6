import type { FieldProblem } from '../contracts/api.ts';
import type { RequestsSpec, ShadowSpec } from '../contracts/release-spec.ts';
import { list, object, oneOf, text, type Rule } from './check-fields.ts';
import { canBeShown } from './judge-shadow.ts';
import { looksOf, usualAgree, usualAtLeast } from './releases/shadow-looks.ts';
import { parsePercent } from './releases/gates.ts';
import { jsonPointer, objectName, percent, second, time, whole } from './release-fields.ts';
import { otherMethods, safeMethods, shadowForms } from './shadow-forms.ts';
import { yesNo } from './spec-words.ts';

const formed = (form: RegExp, must: string): Rule => text((value) => (form.test(value) ? null : must));

/** A map of texts by name, one at least. */
const named =
  (name: RegExp, rule: Rule, must: string): Rule =>
  (value, pointer) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
      return [{ pointer, detail: must }];
    return Object.entries(value).flatMap(([key, item]) =>
      name.test(key) ? rule(item, `${pointer}/${key}`) : [{ pointer, detail: `${must}: not ${key.slice(0, 70)}` }],
    );
  };

const has = (value: unknown, field: string): boolean => typeof value === 'object' && value !== null && field in value;

const key = formed(shadowForms.key, 'must be a key: 1 to 253 letters, digits and . _ -');
const source: Rule = (value, pointer) => {
  if (has(value, 'secret')) return object({ secret: objectName, key }, {})(value, pointer);
  if (has(value, 'configMap')) return object({ configMap: objectName, key }, {})(value, pointer);
  const plain = formed(shadowForms.plain, 'must be up to 1,000 characters, without an address that holds a password');
  return object({ value: plain }, {})(value, pointer);
};
const env = named(shadowForms.variable, source, 'must be an object of one variable or more by its name');

const writes: Rule = (value, pointer) =>
  typeof value === 'string' ? oneOf(['none'])(value, pointer) : object({ env }, {})(value, pointer);

const side = formed(shadowForms.side, 'must be http:// or https:// and a host, without path, user or password');

const headers = named(
  shadowForms.header,
  formed(shadowForms.headerValue, 'must be up to 1,000 characters in one line'),
  'must be an object of one header or more by its name, without credentials',
);
const path = formed(shadowForms.path, 'must begin with / and hold no blank, up to 2,000 characters');
const asking = object({ method: oneOf(safeMethods), path }, { headers });
const sending = object(
  { method: oneOf(otherMethods), path },
  { headers, body: formed(shadowForms.body, 'must be up to 10,000 characters') },
);

const isSending = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'method' in value &&
  otherMethods.some((name) => name === value.method);

/** The stable side gets each request too, and often. */
const safeRequest: Rule = (value, pointer) =>
  isSending(value)
    ? [
        {
          pointer: `${pointer}/method`,
          detail: 'is asked of the stable side too, again and again: say harmless: true if that changes nothing',
        },
      ]
    : asking(value, pointer);
const anyRequest: Rule = (value, pointer) => (isSending(value) ? sending : asking)(value, pointer);

const isTrue: Rule = (value, pointer) => (value === true ? [] : [{ pointer, detail: 'must be true, or not be there' }]);

const requests: Rule = (value, pointer) => {
  if (has(value, 'configMap')) return object({ configMap: objectName, key }, { harmless: isTrue })(value, pointer);
  return has(value, 'harmless')
    ? object({ list: list(anyRequest, 1, 100), harmless: isTrue }, {})(value, pointer)
    : object({ list: list(safeRequest, 1, 100) }, {})(value, pointer);
};

const amount: Rule = (value, pointer) =>
  typeof value === 'number' && value >= 0 && value <= 1e15
    ? []
    : [{ pointer, detail: 'must be a number from 0 to 1e15' }];
const tolerance: Rule = (value, pointer) => {
  const either = has(value, 'absolute') || has(value, 'relative') || !has(value, 'at');
  return [
    ...object({ at: jsonPointer }, { absolute: amount, relative: percent })(value, pointer),
    ...(either ? [] : [{ pointer, detail: 'must have one of absolute and relative' }]),
  ];
};
const compare = object(
  {},
  { ignore: list(jsonPointer, 1, 100), tolerance: list(tolerance, 1, 100), maps: list(jsonPointer, 1, 100) },
);

/** The fields that only a shadow has: those that it needs, and those that it may have. */
export const shadowFields = [
  { service: objectName, writes, sides: object({ stable: side, candidate: side }, {}), requests },
  {
    replicas: whole(1, 1_000),
    compare,
    agree: percent,
    atLeast: whole(10, 1_000_000),
    atMost: whole(10, 10_000_000),
    rate: whole(1, 1_000),
    timeout: time(1),
    noise: yesNo,
    blindFor: time(second),
    onFail: oneOf(['rollback', 'hold']),
  },
] as const;

/** A plan travels as a whole, and so does each slice of asking. */
const mostCharacters = 30_000;

/** What is wrong between fields of a shadow that are each in order. */
export function shadowClashes(spec: ShadowSpec): readonly FieldProblem[] {
  const { sides, agree = usualAgree, atLeast = usualAtLeast, atMost = Infinity } = spec;
  const last = looksOf(spec).at(-1) ?? 0;
  if (atMost < atLeast)
    return [{ pointer: '/atMost', detail: `must be at least ${atLeast}, the least number of answers` }];
  return [
    ...tooLong(spec.requests),
    ...said(sides.stable !== sides.candidate, '/sides/candidate', 'must differ from the stable side'),
    ...said(
      canBeShown({ looks: looksOf(spec), agree: parsePercent(agree) ?? 1 }),
      '/agree',
      `${agree} could not be shown by ${last} answers, even if all agree: it takes more (atMost), or less`,
    ),
  ];
}

const tooLong = (requests: RequestsSpec): FieldProblem[] =>
  said(
    !('list' in requests) || JSON.stringify(requests.list).length <= mostCharacters,
    '/requests/list',
    'is longer than 30,000 characters as JSON: it belongs into a ConfigMap',
  );

const said = (holds: boolean, pointer: string, detail: string): FieldProblem[] => (holds ? [] : [{ pointer, detail }]);
