import { failurePolicies, strategies, workloadKinds } from '../contracts/catalog.ts';
import type { FieldProblem } from '../contracts/api.ts';
import type { CanarySpec, ReleaseSpec, RollingSpec } from '../contracts/release-spec.ts';
import { integer, list, object, oneOf, text, type Rule } from './check-fields.ts';
import { parseDuration } from './duration.ts';
import { parseFail, parsePercent } from './releases/gates.ts';
import { routeRule } from './check-route-spec.ts';
import { approver, duration, notify, specName, targetName, wordForms, yesNo } from './spec-words.ts';

/** The rule of a release's fields by its strategy; null: it is none. */
export function releaseRuleOf(value: unknown): Rule | null {
  const strategy = typeof value === 'object' && value !== null && 'strategy' in value ? value.strategy : null;
  const known = new Map<unknown, Rule>(Object.entries(rules));
  return known.get(strategy) ?? null;
}

/** What is wrong between the fields of a release. */
export function releaseClashes(spec: ReleaseSpec): readonly FieldProblem[] {
  if (spec.strategy === 'rolling') return batchClashes(spec);
  return spec.strategy === 'canary' ? [...flagClashes(spec), ...stepClashes(spec)] : [];
}

/** Where batches say how many pods are replaced, nothing else can. */
function batchClashes({ kind, batches, surge, unavailable }: RollingSpec): FieldProblem[] {
  if (kind !== 'StatefulSet' && batches === undefined) return [];
  const detail = 'is of no use with batches: their size says how many pods are replaced';
  return Object.entries({ surge, unavailable }).flatMap(([field, value]) =>
    value === undefined ? [] : [{ pointer: `/${field}`, detail }],
  );
}

/** A flag divides users; everything else brings a candidate up. */
function flagClashes(spec: CanarySpec): FieldProblem[] {
  const flag = spec.route.via === 'flag';
  const says = (pointer: string, there: boolean): FieldProblem[] => {
    if (flag && there) return [{ pointer, detail: 'is of no use with a flag: nothing is brought up' }];
    return flag || there ? [] : [{ pointer, detail: 'is missing' }];
  };
  return [...says('/images', spec.images !== undefined), ...says('/service', spec.service !== undefined)];
}

/** A share that falls would be a way back, and one that ends below 100 % no release. */
function stepClashes({ steps = [] }: CanarySpec): FieldProblem[] {
  return steps.flatMap((step, index): FieldProblem[] => {
    const before = steps[index - 1]?.weight ?? 0;
    const at = `/steps/${index}`;
    const rises =
      step.weight > before
        ? []
        : [{ pointer: `${at}/weight`, detail: `must be above ${before}, the weight before: it is ${step.weight}` }];
    const ends =
      index === steps.length - 1 && step.weight !== 100
        ? [{ pointer: `${at}/weight`, detail: `must be 100 in the last step: it is ${step.weight}` }]
        : [];
    const back =
      typeof step.onFail === 'number' && step.onFail >= step.weight
        ? [
            {
              pointer: `${at}/onFail`,
              detail: `must be below the step's own weight ${step.weight}: it is ${step.onFail}`,
            },
          ]
        : [];
    return [...rises, ...ends, ...back];
  });
}

const image: Rule = text((value) =>
  wordForms.image.test(value) ? null : 'must be the name of an image, without spaces, such as repo/app:1.2',
);
const workload: Rule = text((value) => (wordForms.workload.test(value) ? null : 'must be namespace/name'));
const objectName: Rule = text((value) =>
  wordForms.container.test(value)
    ? null
    : 'must be the name of an object: at most 63 lower-case letters, digits and dashes',
);
const filled: Rule = text((value) => (value.trim() === '' ? 'is empty' : null));
const address: Rule = text((value) => (/^https?:\/\/\S+$/.test(value) ? null : 'must begin with http:// or https://'));
const hostPort: Rule = text((value) => (/^[^\s/]+:\d{1,5}$/.test(value) ? null : 'must be host:port'));

/** One image or more, by container. */
const images: Rule = (value, pointer) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    return [{ pointer, detail: 'must be an object of one image or more by the name of its container' }];
  return Object.entries(value).flatMap(([key, item]) =>
    wordForms.container.test(key)
      ? image(item, `${pointer}/${key}`)
      : [{ pointer, detail: `has a name that is not a container\u2019s: ${key.slice(0, 70)}` }],
  );
};

const podCount: Rule = (value, pointer) =>
  typeof value === 'string' && /^(?:100|[1-9]?\d)%$/.test(value)
    ? []
    : integer(0, 1_000)(value, pointer).map((problem) => ({
        ...problem,
        detail: 'must be a whole number from 0 to 1000, or a percentage such as 25%',
      }));

/** Either `false`, or what the rule wants. */
const orFalse =
  (rule: Rule): Rule =>
  (value, pointer) =>
    value === false ? [] : rule(value, pointer);

const percent: Rule = text((value) => (parsePercent(value) === null ? 'must be a percentage such as 0.5%' : null));
const longest: Rule = text((value) => (parseDuration(value) === null ? 'must be a time such as 300ms' : null));
const bounded = (max: Rule): Rule => object({ query: filled, max }, {});
const checks: Rule = (value, pointer) => [
  ...object(
    { metrics: targetName, requests: filled },
    {
      errors: bounded(percent),
      p95: bounded(longest),
      p99: bounded(longest),
      window: duration,
      fail: text((words) => (parseFail(words) === null ? 'must be like 3 of 5' : null)),
      atLeast: integer(1, 1_000_000_000),
      blindFor: duration,
    },
  )(value, pointer),
  ...(typeof value === 'object' && value !== null && !('errors' in value || 'p95' in value || 'p99' in value)
    ? [{ pointer, detail: 'must have one of errors, p95 and p99' }]
    : []),
];

const seen: Rule = (value, pointer) => {
  if (typeof value === 'object' && value !== null && 'metrics' in value)
    return object({ metrics: targetName, candidate: filled, stable: filled }, {})(value, pointer);
  const by = typeof value === 'object' && value !== null && 'header' in value ? { header: filled } : { json: filled };
  return object({ url: address, ...by, candidate: filled }, { requests: integer(50, 100_000) })(value, pointer);
};

const onFail: Rule = (value, pointer) =>
  typeof value === 'number' ? integer(0, 99)(value, pointer) : oneOf(['rollback', 'hold'])(value, pointer);
const step = object({ weight: integer(1, 100) }, { for: duration, approve: approver, checks: orFalse(checks), onFail });

const probe: Rule = (value, pointer) => {
  const has = (field: string): boolean => typeof value === 'object' && value !== null && field in value;
  if (has('tcp')) return object({ tcp: hostPort }, { timeout: duration })(value, pointer);
  if (has('grpc')) return object({ grpc: hostPort }, { service: filled, timeout: duration })(value, pointer);
  return object({ http: address }, { status: integer(100, 599), timeout: duration })(value, pointer);
};

const validate = object(
  { probes: list(probe, 1, 10) },
  { tries: integer(1, 1_000), every: duration, needs: integer(1, 100) },
);
const batchSize: Rule = (value, pointer) =>
  typeof value === 'string' && /^(?:100|[1-9]\d?)%$/.test(value)
    ? []
    : integer(1, 1_000)(value, pointer).map((problem) => ({
        ...problem,
        detail: 'must be a whole number from 1 to 1000, or a percentage such as 25%',
      }));
const batches = object({ size: batchSize }, { validate, pause: duration });

const common = { name: specName, strategy: oneOf(strategies), target: targetName };
const times = { grace: duration, drain: duration, deadline: duration };
const ends = { approve: approver, onFailure: oneOf(failurePolicies), notify };

const canaryFields = [
  { workload, route: routeRule, seen: orFalse(seen) },
  {
    images,
    service: objectName,
    steps: list(step, 1, 50),
    checks,
    every: duration,
    keepOld: duration,
    ...times,
    approve: approver,
  },
] as const;
/** A service of a release: a canary without name and strategy. */
export const servicePart: Rule = object({ target: targetName, ...canaryFields[0] }, canaryFields[1]);

const rules: Readonly<Record<ReleaseSpec['strategy'], Rule>> = {
  canary: object({ ...common, ...canaryFields[0] }, { ...canaryFields[1], onFailure: oneOf(failurePolicies), notify }),
  rolling: object(
    { ...common, workload, images },
    { kind: oneOf(workloadKinds), surge: podCount, unavailable: podCount, batches, ...times, ...ends },
  ),
  'blue-green': object(
    { ...common, service: workload, slots: object({ label: filled, blue: objectName, green: objectName }, {}), images },
    {
      seen: orFalse(seen),
      validate,
      watch: object({}, { for: duration, checks }),
      every: duration,
      keepOld: duration,
      ...times,
      ...ends,
    },
  ),
  recreate: object(
    { ...common, workload, images, accept: oneOf(['downtime']) },
    {
      grace: duration,
      deadline: duration,
      approve: (value, pointer) => (value === false ? yesNo(null, pointer) : approver(value, pointer)),
      onFailure: oneOf(failurePolicies),
      notify,
    },
  ),
};
