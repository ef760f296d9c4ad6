import { parseDuration } from '../decisions/duration.ts';
import { turningPoints } from '../contracts/notifications.ts';
import type { ChannelConfig, Config, MetricsConfig, RouterConfig, TargetConfig } from './config.ts';
import type { ChannelFile, ConfigFile, MetricsFile, RouterFile, TargetFile } from './shape.ts';

/** What holds where the file says nothing. */
const defaults = {
  environment: 'local',
  homeSchema: 'lakeshift',
  targets: {},
  metrics: {},
  routers: {},
  notify: {},
  temporal: { searchAttributes: { prefix: 'Lakeshift', register: true }, ui: 'http://127.0.0.1:8233' },
  api: {
    host: '127.0.0.1',
    port: 7070,
    open: false,
    bodyLimit: 262_144,
    rateLimit: { max: 600, per: '1m' },
    tokens: [],
  },
  approvals: { trustTemporal: false },
  log: { level: 'info' },
} as const;

/** The configuration with every field that the file may leave out. */
export function complete(file: ConfigFile): Config {
  const { targets, metrics, routers, notify, temporal, api, approvals, ...rest } = merge(defaults, file) as Complete; // defaults hold the rest
  return {
    ...rest,
    targets: named(targets, targetOf),
    metrics: named(metrics, metricsOf),
    routers: named(routers, routerOf),
    notify: named(notify, channelOf),
    temporal: { ...temporal, ui: temporal.ui.replace(/\/+$/, '') },
    api: {
      ...api,
      url: api.url?.replace(/\/+$/, '') ?? null,
      rateLimit: { max: api.rateLimit.max, perMs: parseDuration(api.rateLimit.per) ?? 60_000 },
      tokens: api.tokens.map((token) => ({ groups: [], ...token })),
    },
    approvals: { key: approvals.key ?? null, trustTemporal: approvals.trustTemporal },
  };
}

/** Without a prototype: what nobody has named must not be found because objects have a `constructor`. */
function named<F, C>(items: Readonly<Record<string, F>>, complete: (item: F) => C): Readonly<Record<string, C>> {
  const result = Object.create(null) as Record<string, C>; // an object without any property
  for (const [name, item] of Object.entries(items)) result[name] = complete(item);
  return result;
}

const metricsOf = ({ over = '1m', errors = null, token = null, ...rest }: Defaulted): MetricsConfig => ({
  ...rest,
  overMs: parseDuration(over) ?? 60_000,
  errors,
  token,
});

const channelOf = ({
  kind,
  url,
  on = turningPoints,
  default: isDefault = false,
  ...rest
}: ChannelFile): ChannelConfig => ({
  kind,
  url,
  secret: 'secret' in rest ? rest.secret : null,
  on,
  isDefault,
});

type Defaulted = Omit<MetricsFile, 'errors' | 'token'> & {
  readonly errors?: string | null;
  readonly token?: string | null;
};

type Complete = Pick<Config, 'environment' | 'homeSchema' | 'ledger' | 'temporal' | 'log'> & {
  readonly targets: NonNullable<ConfigFile['targets']>;
  readonly metrics: NonNullable<ConfigFile['metrics']>;
  readonly routers: NonNullable<ConfigFile['routers']>;
  readonly notify: NonNullable<ConfigFile['notify']>;
  readonly api: Omit<Config['api'], 'rateLimit' | 'tokens' | 'url'> & {
    readonly url?: string;
    readonly rateLimit: { readonly max: number; readonly per: string };
    readonly tokens: NonNullable<NonNullable<ConfigFile['api']>['tokens']>;
  };
  readonly approvals: { readonly key?: string; readonly trustTemporal: boolean };
};

/** The second value over the first, field by field; lists are taken whole. */
function merge(below: unknown, above: unknown): unknown {
  if (above === undefined) return below;
  if (!isObject(below) || !isObject(above)) return above;
  const fields = new Set([...Object.keys(below), ...Object.keys(above)]);
  return Object.fromEntries([...fields].map((field) => [field, merge(below[field], above[field])]));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function targetOf(target: TargetFile): TargetConfig {
  if (target.dialect === 'mlflow') return { taskQueue: 'lakeshift', token: null, ...target };
  if (target.dialect === 'kubernetes') return { taskQueue: 'lakeshift', kubeconfig: null, context: null, ...target };
  return { taskQueue: 'lakeshift', ...target };
}

const routerOf = (router: RouterFile): RouterConfig =>
  router.kind === 'nginx' ? { reload: ['nginx', '-s', 'reload'], ...router } : router;
