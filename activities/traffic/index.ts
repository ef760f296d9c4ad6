import type { Site } from '../../contracts/activities.ts';
import type { RouterName } from '../../contracts/catalog.ts';
import type { Route, RouteFacts, RouteState } from '../../contracts/route.ts';
import { flag } from './flag.ts';
import { gatewayApi } from './gateway-api.ts';
import { haproxy } from './haproxy.ts';
import { istio } from './istio.ts';
import { nginx } from './nginx.ts';
import type { Router, RouterContext } from './router.ts';
import { serviceSelector } from './service-selector.ts';

/** Every router there is. */
export const routers: { readonly [V in RouterName]: Router<Extract<Route, { readonly via: V }>> } = {
  'gateway-api': gatewayApi,
  istio,
  service: serviceSelector,
  haproxy,
  nginx,
  flag,
};

/** The router of a route, for this route. */
const routerOf = (route: Route): Router<Route> =>
  // TypeScript can't see that the router found under a route's own name takes that route.
  routers[route.via] as unknown as Router<Route>;

/** What is there before a plan is made. */
export const lookRoute = (context: RouterContext, route: Route): Promise<RouteFacts> =>
  routerOf(route).look(context, route);

/** What is configured now. */
export const readRoute = (context: RouterContext, route: Route): Promise<RouteState> =>
  routerOf(route).read(context, route);

/** Sets the share of the candidate, unless it is there, and reads it back. */
export async function setWeight(context: RouterContext, site: Site, route: Route, weight: number): Promise<RouteState> {
  const router = routerOf(route);
  if ((await router.read(context, route)).weight !== weight) await router.write(context, site, route, weight);
  return router.read(context, route);
}
