import { execKinds, failurePolicies, strategies, workloadKinds } from '../contracts/catalog.ts';
import type { ModelSpec } from '../contracts/model-spec.ts';
import type { ReleaseSpec } from '../contracts/release-spec.ts';
import { modelRouteRule, routeRule } from './check-route-spec.ts';
import { shadowFields } from './check-shadow-spec.ts';
import { list, object, oneOf, text, type Rule } from './check-fields.ts';
import { nearest } from './nearest.ts';
import {
  address,
  alias,
  batchSize,
  comparedName,
  fail,
  filled,
  header,
  hostPort,
  images,
  jsonPointer,
  label,
  longest,
  metricsName,
  model,
  objectName,
  orFalse,
  percent,
  podCount,
  second,
  statements,
  time,
  trinoUser,
  whole,
  workload,
} from './release-fields.ts';
import { running } from './check-running-spec.ts';
import { approver, notify, specName, targetName } from './spec-words.ts';

/** The rule of a release's fields by its strategy, a misspelt one too; null: it is none. */
export function releaseRuleOf(value: unknown): Rule | null {
  const strategy = typeof value === 'object' && value !== null && 'strategy' in value ? value.strategy : null;
  const meant = typeof strategy === 'string' ? nearest(strategy, strategies) : null;
  return new Map<unknown, Rule>(Object.entries(rules)).get(meant) ?? null;
}

const has = (value: unknown, field: string): boolean => typeof value === 'object' && value !== null && field in value;

const bounded = (max: Rule): Rule => object({ query: filled, max }, {});
const counted = object({ part: filled, whole: filled }, {});
const comparison = object(
  { name: comparedName, candidate: counted, stable: counted },
  { better: oneOf(['more', 'less']), margin: percent, atLeast: whole(1, 1_000_000_000) },
);
const checksFields = object(
  { metrics: metricsName, requests: filled },
  {
    errors: bounded(percent),
    p95: bounded(longest),
    p99: bounded(longest),
    compare: list(comparison, 1, 10),
    window: time(second),
    fail,
    atLeast: whole(1, 1_000_000_000),
    blindFor: time(),
    blind: oneOf(['hold', 'rollback']),
  },
);
const checks: Rule = (value, pointer) => {
  const asks = ['errors', 'p95', 'p99', 'compare'].some((field) => has(value, field));
  const none = [{ pointer, detail: 'must have one of errors, p95, p99 and compare' }];
  return [...checksFields(value, pointer), ...(asks || !has(value, 'metrics') ? [] : none)];
};

const seen: Rule = (value, pointer) => {
  if (has(value, 'metrics'))
    return object({ metrics: metricsName, candidate: filled, stable: filled }, {})(value, pointer);
  const by = has(value, 'header') ? { header } : { json: jsonPointer };
  return object({ url: address, ...by, candidate: filled }, { requests: whole(50, 100_000) })(value, pointer);
};

const onFail: Rule = (value, pointer) =>
  typeof value === 'number' ? whole(0, 99)(value, pointer) : oneOf(['rollback', 'hold'])(value, pointer);
const step = object({ weight: whole(1, 100) }, { for: time(), approve: approver, checks: orFalse(checks), onFail });

const timeout = time(1);
/** A word of a command. What stands in it may be meant to stay unseen: it is not said again. */
const word = text((value) => (value.length > 1_000 || value.includes('\0') ? 'must be at most 1000 characters' : null));
/** One look at a side has a minute. */
const mostSqlMs = 50_000;
const trino = object({ trino: address, sql: statements }, { user: trinoUser, timeout: time(1, mostSqlMs) });
const probe: Rule = (value, pointer) => {
  if (has(value, 'trino')) return trino(value, pointer);
  if (has(value, 'tcp')) return object({ tcp: hostPort }, { timeout })(value, pointer);
  if (has(value, 'grpc')) return object({ grpc: hostPort }, { service: filled, timeout })(value, pointer);
  if (has(value, 'exec'))
    return object(
      { exec: workload, command: list(word, 1, 50) },
      { kind: oneOf(execKinds), container: objectName, timeout },
    )(value, pointer);
  return object({ http: address }, { status: whole(100, 599), timeout })(value, pointer);
};

const validate = object(
  { probes: list(probe, 1, 10) },
  { tries: whole(1, 1_000), every: time(), backoff: time(), needs: whole(1, 100) },
);
const dependency = object(
  { name: objectName, probe },
  { every: time(second), fail, closeAfter: whole(1, 100), backoff: time(second), openFor: time(second) },
);
const dependencies = list(dependency, 1, 10);
const batches = object({ size: batchSize }, { validate, pause: time() });

/** Somebody has to accept the downtime: nobody is no answer. */
const somebody: Rule = (value, pointer) =>
  value === false
    ? [{ pointer, detail: 'must be true or the name of a group: downtime needs a person' }]
    : approver(value, pointer);

const common = { name: specName, strategy: oneOf(strategies), target: targetName };
const onFailure = oneOf(failurePolicies);
const times = { grace: time(), drain: time(), deadline: time(second) };
const ends = { approve: approver, onFailure, notify };
const stays = { every: time(second), keepOld: time() };

const canaryFields = [
  { workload, route: routeRule, seen: orFalse(seen) },
  {
    images,
    service: objectName,
    steps: list(step, 1, 50),
    checks,
    dependencies,
    ...stays,
    ...times,
    approve: approver,
  },
] as const;
/** A service of a release: a canary without name and strategy. */
export const servicePart: Rule = object({ target: targetName, ...canaryFields[0] }, canaryFields[1]);

const rules: Readonly<Record<ReleaseSpec['strategy'] | ModelSpec['strategy'], Rule>> = {
  rolling: object(
    { ...common, workload, images },
    { kind: oneOf(workloadKinds), surge: podCount, unavailable: podCount, batches, ...times, ...ends },
  ),
  canary: object({ ...common, ...canaryFields[0] }, { ...canaryFields[1], onFailure, notify }),
  'blue-green': object(
    { ...common, service: workload, slots: object({ label, blue: objectName, green: objectName }, {}), images },
    {
      seen: orFalse(seen),
      validate,
      running,
      watch: object({}, { for: time(), checks }),
      dependencies,
      ...stays,
      ...times,
      ...ends,
    },
  ),
  recreate: object(
    { ...common, workload, images, accept: oneOf(['downtime']) },
    { grace: time(), deadline: time(second), approve: somebody, onFailure, notify },
  ),
  shadow: object(
    { ...common, workload, images, ...shadowFields[0] },
    { ...shadowFields[1], validate, deadline: time(second), ...ends },
  ),
  'model-canary': object(
    {
      ...common,
      model,
      candidate: object({ version: whole(1, 1_000_000_000), alias }, {}),
      stable: object({ alias }, {}),
      route: modelRouteRule,
      seen: orFalse(seen),
    },
    { steps: list(step, 1, 50), checks, ...stays, ...ends },
  ),
};
