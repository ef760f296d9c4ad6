import type { ModelSpec } from '../../contracts/model-spec.ts';
import type {
  BlueGreenSpec,
  CanarySpec,
  ChecksSpec,
  DependencySpec,
  RecreateSpec,
  ReleaseSpec,
  RollingSpec,
  RouteSpec,
  RunningSpec,
  SeenSpec,
  ShadowSpec,
} from '../../contracts/release-spec.ts';

/** Every bound that checks may have. */
export const bounds: ChecksSpec = {
  metrics: 'shop-prometheus',
  requests: 'sum(requests_total{version="4.2"})',
  errors: { query: 'sum(requests_total{version="4.2",code=~"5.."})', max: '0.5%' },
  p95: { query: 'p95{version="4.2"}', max: '200ms' },
  p99: { query: 'p99{version="4.2"}', max: '0.3s' },
  window: '1m',
  fail: '3 of 5',
  atLeast: 100,
  blindFor: '5m',
  blind: 'rollback',
};

/** Every field that they may have. */
export const checks: ChecksSpec = {
  ...bounds,
  compare: [
    {
      name: 'accuracy',
      better: 'more',
      candidate: { part: 'right{v="12"}', whole: 'scored{v="12"}' },
      stable: { part: 'right{v="11"}', whole: 'scored{v="11"}' },
      margin: '1%',
      atLeast: 500,
    },
  ],
};

/** What a side may need besides itself: one with every field, one with none that can be left out. */
export const dependencies: readonly DependencySpec[] = [
  {
    name: 'scores-db',
    probe: { tcp: 'db.data:5432', timeout: '1s' },
    every: '10s',
    fail: '3 of 5',
    closeAfter: 2,
    backoff: '1m',
    openFor: '30m',
  },
  { name: 'ranking', probe: { grpc: 'ranking.ml:8500' } },
  {
    name: 'warm-cache',
    probe: { exec: 'shop/checkout', kind: 'StatefulSet', container: 'app', command: ['is-warm', ''], timeout: '5s' },
  },
];

/** Every way to see the traffic. */
export const everySeen: Readonly<Record<string, SeenSpec | false>> = {
  nobody: false,
  'a header': { url: 'http://checkout.shop.svc/version', header: 'x-version', candidate: '4.2', requests: 400 },
  'a member': { url: 'https://checkout.shop.svc:8443/a?b=c', json: '/build/version', candidate: '4.2' },
  metrics: { metrics: 'shop-prometheus', candidate: 'requests{v="4.2"}', stable: 'requests{v="4.1"}' },
};

/** A route of a canary by every router, with every field. */
export const everyRoute: Readonly<Record<string, RouteSpec>> = {
  'gateway-api': { via: 'gateway-api', name: 'checkout', match: { header: 'x-canary', value: 'always' } },
  istio: {
    via: 'istio',
    name: 'checkout',
    stable: 'checkout#v1',
    candidate: 'checkout.shop.svc.cluster.local#v2',
    match: { cookie: 'canary', value: 'always' },
  },
  haproxy: { via: 'haproxy', router: 'edge-haproxy', backend: 'checkout', stable: 'stable', candidate: 'candidate' },
  nginx: { via: 'nginx', router: 'edge-nginx', stable: '10.0.0.1:80', candidate: 'unix:/run/candidate.sock' },
  flag: { via: 'flag', key: 'flags.json', flag: 'new-checkout', stable: 'off', candidate: 'on' },
};

/** A canary with every field. */
export const canarySpec: CanarySpec = {
  name: 'checkout-4-2',
  strategy: 'canary',
  target: 'k8s-data',
  workload: 'shop/checkout',
  images: { app: 'registry.example/checkout:4.2' },
  service: 'checkout',
  route: everyRoute['gateway-api'] ?? { via: 'gateway-api', name: 'checkout' },
  seen: everySeen['a header'] ?? false,
  steps: [
    { weight: 5, for: '10m', approve: true, checks, onFail: 0 },
    { weight: 25, for: '1h', checks: false, onFail: 5 },
    { weight: 50, onFail: 'hold' },
    { weight: 100, approve: 'owners', onFail: 'rollback' },
  ],
  checks,
  dependencies,
  every: '30s',
  keepOld: '1h',
  grace: '60s',
  drain: '15s',
  deadline: '600s',
  approve: 'owners',
  onFailure: 'rollback',
};

/** A canary by a flag, with every field. */
export const flagSpec: CanarySpec = {
  name: 'new-checkout',
  strategy: 'canary',
  target: 'k8s-data',
  workload: 'shop/flags',
  route: everyRoute['flag'] ?? { via: 'flag', key: 'a', flag: 'b', stable: 'c', candidate: 'd' },
  seen: false,
  steps: [{ weight: 10, for: '1d' }, { weight: 100 }],
  checks,
  every: '1m',
  keepOld: '1d',
  approve: true,
  onFailure: 'park',
};

const trinos = { blue: 'http://trino-blue:8080', green: 'http://trino-green:8080' };

/** Every way of running queries, with every field. */
export const everyRunning: Readonly<Record<string, RunningSpec>> = {
  'finish on old': {
    engine: 'trino',
    coordinators: trinos,
    user: 'ops',
    timeout: '2h',
    finishOn: 'old',
    route: 'trino',
    address: 'https://trino.example',
    services: { blue: 'trino-blue', green: 'trino-green' },
  },
  wait: { engine: 'trino', coordinators: trinos, user: 'ops', timeout: '2h', wait: 'idle' },
  accept: { engine: 'trino', coordinators: trinos, user: 'ops', timeout: '2h', accept: 'failed-queries' },
};

/** A blue-green with every field. */
export const blueGreenSpec: BlueGreenSpec = {
  name: 'trino-440',
  strategy: 'blue-green',
  target: 'k8s-data',
  service: 'data-platform/trino',
  slots: { label: 'example.com/slot', blue: 'trino-blue', green: 'trino-green' },
  images: { trino: 'trinodb/trino:440' },
  seen: everySeen['a member'] ?? false,
  validate: {
    probes: [
      { http: 'http://trino-green:8080/v1/info', status: 200, timeout: '2s' },
      { tcp: 'trino-green:8080', timeout: '1s' },
      { grpc: 'trino-green:8081', service: 'trino.v1.Health', timeout: '1s' },
      { trino: 'http://trino-green:8080', sql: 'SELECT 1', user: 'ops', timeout: '10s' },
      { trino: 'http://trino-green:8080', sql: ['SELECT 1', 'SELECT 2'] },
    ],
    tries: 30,
    every: '2s',
    backoff: '30s',
    needs: 3,
  },
  running: everyRunning['finish on old'] ?? { engine: 'trino', coordinators: trinos, wait: 'idle' },
  watch: { for: '30m', checks: bounds },
  dependencies,
  every: '1m',
  keepOld: '24h',
  grace: '300s',
  drain: '10s',
  deadline: '600s',
  approve: false,
  onFailure: 'park',
};

/** A rolling with every field. */
export const rollingSpec: RollingSpec = {
  name: 'spark-worker-4-1',
  strategy: 'rolling',
  target: 'k8s-data',
  workload: 'data-platform/spark-worker',
  images: { worker: 'registry.example/spark:4.1.1' },
  surge: 2,
  unavailable: '25%',
  grace: '300s',
  drain: '10s',
  deadline: '600s',
  approve: true,
  onFailure: 'rollback',
};

/** A recreate with every field. */
export const recreateSpec: RecreateSpec = {
  name: 'scheduler-3',
  strategy: 'recreate',
  target: 'k8s-data',
  workload: 'data-platform/scheduler',
  images: { app: 'registry.example/scheduler:3' },
  accept: 'downtime',
  grace: '300s',
  deadline: '600s',
  approve: 'owners',
  onFailure: 'rollback',
};

/** A shadow with every field. */
export const shadowSpec: ShadowSpec = {
  name: 'scoring-7',
  strategy: 'shadow',
  target: 'k8s-data',
  workload: 'ml/scoring',
  service: 'scoring',
  images: { app: 'registry.example/scoring:7' },
  replicas: 2,
  writes: {
    env: {
      FEATURE_LOG: { secret: 'scoring-shadow', key: 'feature-log' },
      SINK_TOPIC: { configMap: 'scoring-shadow', key: 'topic' },
      SINK_SCHEMA: { value: 'shadow' },
    },
  },
  sides: { stable: 'http://scoring.ml.svc:8080', candidate: 'https://scoring-candidate.ml.svc:8443' },
  requests: {
    list: [
      { method: 'GET', path: '/v1/model?full=1', headers: { accept: 'application/json' } },
      { method: 'POST', path: '/v1/score', headers: { 'content-type': 'application/json' }, body: '{"features":[1]}' },
    ],
    harmless: true,
  },
  compare: {
    ignore: ['/requestId', '/items/*/servedBy'],
    tolerance: [
      { at: '/score', absolute: 0.001 },
      { at: '/items/*/score', relative: '0.1%' },
      { at: '/both', absolute: 1, relative: '1%' },
    ],
    maps: ['/byCustomer'],
  },
  agree: '98.5%',
  atLeast: 500,
  atMost: 8_000,
  rate: 20,
  timeout: '1s',
  noise: true,
  blindFor: '5m',
  onFail: 'hold',
  validate: { probes: [{ http: 'http://scoring-candidate.ml.svc:8080/health' }], tries: 30, every: '2s', needs: 3 },
  deadline: '600s',
  approve: 'owners',
  onFailure: 'rollback',
};

/** A shadow whose requests are in the cluster. */
export const shadowOfConfigMap: ShadowSpec = {
  name: 'scoring-8',
  strategy: 'shadow',
  target: 'k8s-data',
  workload: 'ml/scoring',
  service: 'scoring',
  images: { app: 'registry.example/scoring:8' },
  writes: 'none',
  sides: { stable: 'http://scoring.ml.svc:8080', candidate: 'http://scoring-candidate.ml.svc:8080' },
  requests: { configMap: 'scoring-requests', key: 'requests.json', harmless: true },
};

/** A model with every field. */
export const modelSpec: ModelSpec = {
  name: 'forecast-12',
  strategy: 'model-canary',
  target: 'models',
  model: 'sales_forecast',
  candidate: { version: 12, alias: 'canary' },
  stable: { alias: 'champion' },
  route: { via: 'haproxy', router: 'edge-haproxy', backend: 'forecast', stable: 'v11', candidate: 'v12' },
  seen: everySeen['a header'] ?? false,
  steps: [
    { weight: 5, for: '1h', onFail: 0 },
    { weight: 100, approve: 'ml-owner', checks: false },
  ],
  checks,
  every: '1m',
  keepOld: '24h',
  approve: true,
  onFailure: 'park',
};

/** One spec of each kind, with every field that it may have. */
export const fullReleases: readonly (ReleaseSpec | ModelSpec)[] = [
  rollingSpec,
  canarySpec,
  flagSpec,
  blueGreenSpec,
  recreateSpec,
  shadowSpec,
  shadowOfConfigMap,
  modelSpec,
];

/** A path of keys into a spec. */
export type Path = readonly (string | number)[];

/** A spec with another value at a path; `undefined`: without it. */
export function withField(spec: ReleaseSpec | ModelSpec, path: Path, value: unknown): unknown {
  // not a structured clone: that keeps one object in two places one
  const copy: unknown = JSON.parse(JSON.stringify(spec));
  let at = copy as Record<string | number, unknown>; // made of objects and lists only
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as typeof at;
  const last = path.at(-1) ?? '';
  if (value === undefined && Array.isArray(at)) at.splice(Number(last), 1);
  else if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
  return copy;
}
