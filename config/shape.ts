import { dialects, roles } from '../contracts/catalog.ts';
import { channelKinds, turningPoints, type TurningPoint } from '../contracts/notifications.ts';
import { integer, list, object, oneOf, text, type Rule } from '../decisions/check-fields.ts';
import { parseDuration } from '../decisions/duration.ts';
import {
  logLevels,
  metricsKinds,
  routerKinds,
  type LogLevel,
  type MetricsKind,
  type ClusterConfig,
  type DatabaseConfig,
  type RegistryConfig,
  type TokenConfig,
} from './config.ts';

/** The file as it is written, once `configRule` has found nothing wrong with it. */
export interface ConfigFile {
  readonly environment?: string;
  readonly homeSchema?: string;
  readonly targets?: Readonly<Record<string, DatabaseFile | ClusterFile | RegistryFile>>;
  readonly metrics?: Readonly<Record<string, MetricsFile>>;
  readonly routers?: Readonly<Record<string, HaproxyFile | NginxFile>>;
  readonly notify?: Readonly<Record<string, SlackFile | WebhookFile>>;
  readonly ledger: { readonly url: string };
  readonly temporal?: {
    readonly searchAttributes?: { readonly prefix?: string; readonly register?: boolean };
    readonly ui?: string;
  };
  readonly api?: {
    readonly host?: string;
    readonly port?: number;
    readonly url?: string;
    readonly open?: boolean;
    readonly bodyLimit?: number;
    readonly rateLimit?: { readonly max?: number; readonly per?: string };
    readonly tokens?: readonly (Partial<TokenConfig> & Pick<TokenConfig, 'name' | 'role' | 'token'>)[];
  };
  readonly approvals?: { readonly key?: string; readonly trustTemporal?: boolean };
  readonly log?: { readonly level?: LogLevel };
}

/** A target as it is written. */
export type TargetFile = DatabaseFile | ClusterFile | RegistryFile;

export interface DatabaseFile {
  readonly dialect: DatabaseConfig['dialect'];
  readonly url: string;
  readonly taskQueue?: string;
}

export interface ClusterFile {
  readonly dialect: ClusterConfig['dialect'];
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly taskQueue?: string;
}

export interface RegistryFile {
  readonly dialect: RegistryConfig['dialect'];
  readonly url: string;
  readonly token?: string;
  readonly taskQueue?: string;
}

/** A router as it is written. */
export type RouterFile = HaproxyFile | NginxFile;

export interface HaproxyFile {
  readonly kind: 'haproxy';
  readonly address: string;
}

export interface NginxFile {
  readonly kind: 'nginx';
  readonly file: string;
  readonly reload?: readonly string[];
}

/** A metrics source as it is written. */
export interface MetricsFile {
  readonly kind: MetricsKind;
  readonly url: string;
  readonly p99: string;
  readonly over?: string;
  readonly errors?: string;
  readonly token?: string;
}

/** A channel as it is written. */
export type ChannelFile = SlackFile | WebhookFile;

export interface SlackFile {
  readonly kind: 'slack';
  readonly url: string;
  readonly on?: readonly TurningPoint[];
  readonly default?: boolean;
}

export interface WebhookFile {
  readonly kind: 'webhook';
  readonly url: string;
  readonly secret: string;
  readonly on?: readonly TurningPoint[];
  readonly default?: boolean;
}

const matching = (pattern: RegExp, rule: string): Rule => text((value) => (pattern.test(value) ? null : rule));
const filled = matching(/\S/, 'is empty');
const yesNo: Rule = (value, pointer) =>
  typeof value === 'boolean' ? [] : [{ pointer, detail: 'must be true or false' }];
const word = matching(/^[\w.@-]{1,60}$/, 'must be 1 to 60 letters, digits, dots, dashes or underscores');
const identifier = matching(/^[a-z_][a-z0-9_]{0,62}$/, 'must be a lower-case SQL name');
const duration = text((value) => (parseDuration(value) === null ? 'is not a duration; write 30s or 1m' : null));
const address = matching(/^https?:\/\/\S+$/, 'must be an address that begins with http:// or https://');

/** A map from names to things of one shape. */
const mapOf =
  (rule: Rule): Rule =>
  (value, pointer) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return [{ pointer, detail: 'must be an object' }];
    }
    return Object.entries(value).flatMap(([name, item]) => [
      ...word(name, `${pointer}/${name}`).map((problem) => ({
        ...problem,
        detail: `has a name that ${problem.detail}`,
      })),
      ...rule(item, `${pointer}/${name}`),
    ]);
  };

const database = object({ dialect: oneOf(dialects), url: filled }, { taskQueue: word });
const cluster = object({ dialect: oneOf(dialects) }, { kubeconfig: filled, context: filled, taskQueue: word });
const registry = object({ dialect: oneOf(dialects), url: address }, { token: filled, taskQueue: word });
/** A database has an address; a cluster a kubeconfig, unless the worker runs in it; a registry may want a token. */
const target: Rule = (value, pointer) => {
  const dialect = typeof value === 'object' && value !== null && 'dialect' in value ? value.dialect : null;
  if (dialect === 'mlflow') return registry(value, pointer);
  return dialect === 'kubernetes' ? cluster(value, pointer) : database(value, pointer);
};

/** A path of a UNIX socket, or `host:port`. */
const socket = matching(
  /^(?:\/\S+|[^\s/@]+:\d{1,5})$/,
  'must be host:port, or the path of a socket that begins with a slash',
);
const haproxy = object({ kind: oneOf(routerKinds), address: socket }, {});
const nginx = object({ kind: oneOf(routerKinds), file: filled }, { reload: list(filled, 1, 20) });
const router: Rule = (value, pointer) => {
  const isNginx = typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'nginx';
  return isNginx ? nginx(value, pointer) : haproxy(value, pointer);
};

const told = { on: list(oneOf(turningPoints), 1, turningPoints.length), default: yesNo };
const slack = object({ kind: oneOf(channelKinds), url: filled }, told);
const webhook = object({ kind: oneOf(channelKinds), url: filled, secret: filled }, told);
/** What is signed needs a secret; what is not must not have one that nobody would use. */
const channel: Rule = (value, pointer) => {
  const isSlack = typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'slack';
  return isSlack ? slack(value, pointer) : webhook(value, pointer);
};

/** The shape of lakeshift.yaml. Says nothing of secrets and of fields that exclude each other. */
export const configRule: Rule = object(
  { ledger: object({ url: filled }, {}) },
  {
    environment: word,
    homeSchema: identifier,
    targets: mapOf(target),
    routers: mapOf(router),
    metrics: mapOf(
      object(
        { kind: oneOf(metricsKinds), url: address, p99: filled },
        { over: duration, errors: filled, token: filled },
      ),
    ),
    notify: mapOf(channel),
    temporal: object(
      {},
      {
        searchAttributes: object(
          {},
          { prefix: matching(/^[A-Za-z][A-Za-z0-9]{0,29}$/, 'must be 1 to 30 letters and digits'), register: yesNo },
        ),
        ui: address,
      },
    ),
    api: object(
      {},
      {
        host: filled,
        port: integer(0, 65_535),
        url: address,
        open: yesNo,
        bodyLimit: integer(1_024, 16_777_216),
        rateLimit: object({}, { max: integer(1, 1_000_000), per: duration }),
        tokens: list(
          object({ name: word, role: oneOf(roles), token: filled }, { groups: list(word, 0, 50) }),
          0,
          1_000,
        ),
      },
    ),
    approvals: object({}, { key: filled, trustTemporal: yesNo }),
    log: object({}, { level: oneOf(logLevels) }),
  },
);
