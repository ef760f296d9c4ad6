import { parseDuration } from '../decisions/duration.ts';
import type { Config, TargetConfig } from './config.ts';
import type { ConfigFile } from './shape.ts';

/** What holds where the file says nothing. */
const defaults = {
  environment: 'local',
  homeSchema: 'lakeshift',
  targets: {},
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
  const { targets, temporal, api, approvals, ...rest } = merge(defaults, file) as Complete; // defaults hold the rest
  return {
    ...rest,
    targets: namedTargets(targets),
    temporal: { ...temporal, ui: temporal.ui.replace(/\/+$/, '') },
    api: {
      ...api,
      rateLimit: { max: api.rateLimit.max, perMs: parseDuration(api.rateLimit.per) ?? 60_000 },
      tokens: api.tokens.map((token) => ({ groups: [], ...token })),
    },
    approvals: { key: approvals.key ?? null, trustTemporal: approvals.trustTemporal },
  };
}

/** Without a prototype: a target that nobody has named must not be found because objects have a `constructor`. */
function namedTargets(targets: NonNullable<ConfigFile['targets']>): Config['targets'] {
  const named = Object.create(null) as Record<string, TargetConfig>; // an object without any property
  for (const [name, target] of Object.entries(targets)) named[name] = { taskQueue: 'lakeshift', ...target };
  return named;
}

type Complete = Pick<Config, 'environment' | 'homeSchema' | 'ledger' | 'temporal' | 'log'> & {
  readonly targets: NonNullable<ConfigFile['targets']>;
  readonly api: Omit<Config['api'], 'rateLimit' | 'tokens'> & {
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
