import type { CanarySpec, RouteSpec } from './release-spec.ts';

/** Another version of a registered model, for a growing share of the traffic. */
export interface ModelSpec extends Pick<
  CanarySpec,
  'name' | 'seen' | 'steps' | 'checks' | 'every' | 'keepOld' | 'approve' | 'onFailure' | 'notify'
> {
  readonly strategy: 'model-canary';
  /** The name of a registry in the configuration. */
  readonly target: string;
  /** The registered model. */
  readonly model: string;
  /** The version that is to come, and the alias that it gets as long as it is on trial. */
  readonly candidate: { readonly version: number; readonly alias: string };
  /** The alias of the version in service; at the end it points to the candidate. */
  readonly stable: { readonly alias: string };
  readonly route: ModelRouteSpec;
}

/** Two scoring servers behind a router of the configuration. */
export type ModelRouteSpec = Extract<RouteSpec, { readonly router: string }>;
