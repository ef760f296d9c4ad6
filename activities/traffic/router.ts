import type { Site } from '../../contracts/activities.ts';
import type { RouteFacts, RouteState } from '../../contracts/route.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import type { FoundObject } from '../kubernetes/objects.ts';
import type { ObjectRef } from '../../contracts/workload.ts';

/** Where a router is, as the configuration says. */
export type RouterConnection =
  | {
      readonly kind: 'haproxy';
      /** `host:port` of the runtime API, or the path of its socket. */
      readonly address: string;
    }
  | {
      readonly kind: 'nginx';
      /** The file of servers that NGINX includes in an upstream. */
      readonly file: string;
      /** What has NGINX take it: a program and its arguments. */
      readonly reload: readonly string[];
    };

/** What a router adapter is given. */
export interface RouterContext {
  readonly cluster: Cluster;
  /** Throws TARGET_UNKNOWN for a name that is not in the configuration. */
  readonly router: (name: string) => RouterConnection;
  /** How objects are read where nothing is written: each time, or as a watch tells them. Null: there is none. */
  readonly read: <T extends FoundObject>(cluster: Cluster, ref: ObjectRef) => Promise<T | null>;
}

/**
 * What divides the traffic between two sides. A name that it does not know is a TARGET_DRIFTED, somebody else's write in
 * between a TARGET_BUSY.
 */
export interface Router<R> {
  /** What is there, before a plan is made. */
  readonly look: (context: RouterContext, route: R) => Promise<RouteFacts>;
  /** What is configured now. */
  readonly read: (context: RouterContext, route: R) => Promise<RouteState>;
  /** Sets the share of the candidate, whole percent; again: it is as it was. */
  readonly write: (context: RouterContext, site: Site, route: R, weight: number) => Promise<void>;
}
