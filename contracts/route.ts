import type { HeldObject } from './workload.ts';

/** What divides the traffic, and how both sides are called there. */
export type Route = GatewayRoute | IstioRoute | ServiceRoute | HaproxyRoute | NginxRoute | FlagRoute;

interface RouteBase {
  /** What it calls the side that is in service. */
  readonly stable: string;
  readonly candidate: string;
}

/** An HTTPRoute of the Gateway API; both sides are Services. */
export interface GatewayRoute extends RouteBase {
  readonly via: 'gateway-api';
  readonly namespace: string;
  readonly name: string;
  /** Requests that go to the candidate whatever its weight; absent: none. */
  readonly match?: RequestMatch;
}

/** A VirtualService of Istio; both sides are hosts, each with `#subset` after it if it has one. */
export interface IstioRoute extends RouteBase {
  readonly via: 'istio';
  readonly namespace: string;
  readonly name: string;
  readonly match?: RequestMatch;
}

/** The selector of a Service: all traffic, or none. */
export interface ServiceRoute extends RouteBase {
  readonly via: 'service';
  readonly namespace: string;
  readonly name: string;
  /** The label that tells the sides apart; `stable` and `candidate` are its values. */
  readonly label: string;
}

/** Two servers of a backend, by HAProxy's runtime API. */
export interface HaproxyRoute extends RouteBase {
  readonly via: 'haproxy';
  /** Name of a router in the configuration. */
  readonly router: string;
  readonly backend: string;
}

/** Two servers of an upstream, in a file that NGINX includes; the sides are their addresses. */
export interface NginxRoute extends RouteBase {
  readonly via: 'nginx';
  readonly router: string;
}

/** A flag of flagd in a ConfigMap; the sides are its variants. */
export interface FlagRoute extends RouteBase {
  readonly via: 'flag';
  readonly namespace: string;
  /** Name of the ConfigMap. */
  readonly name: string;
  /** The key of the flag file in it. */
  readonly key: string;
  readonly flag: string;
}

/** Requests by a header or a cookie of theirs. */
export interface RequestMatch {
  readonly by: 'header' | 'cookie';
  readonly name: string;
  readonly value: string;
}

/** What is configured at a router. */
export interface RouteState {
  /** Whole percent on the candidate; null: it says something else. */
  readonly weight: number | null;
  /** One line for people: what it says. */
  readonly because: string;
}

/** What *inspect* saw of a route. Facts only. */
export interface RouteFacts {
  /** The object that holds it; null: it is none of the cluster's, or it is not there. */
  readonly object: HeldObject | null;
  readonly state: RouteState;
  readonly ownedBy: string | null;
  readonly holder: string | null;
  readonly nearby: readonly string[];
}

/** How many requests each side has answered. */
export interface SeenShare {
  readonly candidate: number;
  readonly stable: number;
  /** Requests that neither can be said to have answered. */
  readonly unknown: number;
}

/** How it is seen where the traffic goes. */
export type Seen =
  | {
      readonly by: 'requests';
      /** Address that is asked through the route. */
      readonly url: string;
      /** The header of an answer, or the JSON pointer into it, that tells the sides apart. */
      readonly at: { readonly header: string } | { readonly json: string };
      /** What it says on the candidate. */
      readonly candidate: string;
      readonly requests: number;
    }
  | {
      readonly by: 'metrics';
      readonly source: string;
      /** PromQL of a counter of requests, one value. */
      readonly candidate: string;
      readonly stable: string;
    };
