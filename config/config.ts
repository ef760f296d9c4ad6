import type { Dialect, Role } from '../contracts/catalog.ts';
import type { ChannelKind, TurningPoint } from '../contracts/notifications.ts';

/** The configuration as the service uses it: complete, resolved, frozen. Durations in ms, sizes in bytes. */
export interface Config {
  readonly environment: string;
  /** Our own schema in each target. */
  readonly homeSchema: string;
  readonly targets: Readonly<Record<string, TargetConfig>>;
  readonly metrics: Readonly<Record<string, MetricsConfig>>;
  /** What divides traffic outside of any cluster. */
  readonly routers: Readonly<Record<string, RouterConfig>>;
  readonly notify: Readonly<Record<string, ChannelConfig>>;
  readonly ledger: { readonly url: string };
  readonly temporal: TemporalConfig;
  readonly api: ApiConfig;
  readonly approvals: ApprovalConfig;
  readonly log: { readonly level: LogLevel };
}

/** A named database, cluster or registry. */
export type TargetConfig = DatabaseConfig | ClusterConfig | RegistryConfig;

export interface DatabaseConfig {
  readonly dialect: Exclude<Dialect, 'kubernetes' | 'mlflow'>;
  /** A connection address; holds a secret once it is resolved. */
  readonly url: string;
  readonly taskQueue: string;
}

export interface ClusterConfig {
  readonly dialect: 'kubernetes';
  /** Path of a kubeconfig on the worker's machine; null: the service account of the worker's own pod. */
  readonly kubeconfig: string | null;
  /** A context of the kubeconfig; null: its current one. */
  readonly context: string | null;
  readonly taskQueue: string;
}

export interface RegistryConfig {
  readonly dialect: 'mlflow';
  /** Address of MLflow, without `/api`. */
  readonly url: string;
  /** Bearer token; null: none is sent. */
  readonly token: string | null;
  readonly taskQueue: string;
}

/** A named source of what the application feels. */
export interface MetricsConfig {
  readonly kind: MetricsKind;
  /** Address of the HTTP API, without `/api/v1`. */
  readonly url: string;
  /** PromQL of the application's p99 in seconds; one value. */
  readonly p99: string;
  /** How far back that query looks, ms. */
  readonly overMs: number;
  /** PromQL of the application's errors, ever; null: they are not counted. */
  readonly errors: string | null;
  /** Bearer token; null: none is sent. */
  readonly token: string | null;
}

/** A named router, reached by the worker. */
export type RouterConfig =
  | {
      readonly kind: 'haproxy';
      /** `host:port` of the runtime API, or the path of its socket. */
      readonly address: string;
    }
  | {
      readonly kind: 'nginx';
      /** The file of servers that NGINX includes in an upstream. */
      readonly file: string;
      /** A program and its arguments that have NGINX read its configuration anew. */
      readonly reload: readonly string[];
    };

/** The kinds of router. */
export const routerKinds = ['haproxy', 'nginx'] as const satisfies readonly RouterConfig['kind'][];

/** The kinds of metrics source. */
export const metricsKinds = ['prometheus'] as const;
/** One of the kinds. */
export type MetricsKind = (typeof metricsKinds)[number];

/** A named receiver of notifications. */
export interface ChannelConfig {
  readonly kind: ChannelKind;
  /** Its address; whoever knows that of Slack may write there. */
  readonly url: string;
  /** Key of the signatures, as `whsec_` and base64; null: of a kind that is not signed. */
  readonly secret: string | null;
  /** What it is told of. */
  readonly on: readonly TurningPoint[];
  /** Whether it is told of deployments whose spec names no channel. */
  readonly isDefault: boolean;
}

/** What is ours about Temporal; its address, namespace and TLS come from `temporalConnection`. */
export interface TemporalConfig {
  readonly searchAttributes: {
    /** What our search attributes' names begin with. */
    readonly prefix: string;
    /** Whether we may register them ourselves. */
    readonly register: boolean;
  };
  /** Address of Temporal's own user interface, without a slash at its end. */
  readonly ui: string;
}

/** How the HTTP API listens and whom it lets in. */
export interface ApiConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Where others reach it, for links, without a slash at its end; null: it is not said. */
  readonly url: string | null;
  /** No tokens: everybody who reaches the loopback interface may do everything. */
  readonly open: boolean;
  readonly bodyLimit: number;
  readonly rateLimit: { readonly max: number; readonly perMs: number };
  readonly tokens: readonly TokenConfig[];
}

/** A caller and what it may do. */
export interface TokenConfig {
  readonly name: string;
  readonly role: Role;
  readonly groups: readonly string[];
  readonly token: string;
}

/** How approvals are proved. */
export interface ApprovalConfig {
  /** Key of the signatures; null only when Temporal is trusted. */
  readonly key: string | null;
  /** Approvals that did not come through the API count as well. */
  readonly trustTemporal: boolean;
}

/** How much is logged, as pino names it. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
/** One of the levels. */
export type LogLevel = (typeof logLevels)[number];

/** Parts whose secrets one process needs and another does not. */
export type Section = 'targets' | 'metrics' | 'notify' | 'api' | 'approvals';
