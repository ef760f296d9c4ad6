import type { FieldProblem } from '../../contracts/api.ts';
import type { Finding } from '../../contracts/plan.ts';
import type { CanarySpec, MatchSpec, RouteSpec, SeenSpec } from '../../contracts/release-spec.ts';
import type { RequestMatch, Route, RouteFacts, Seen } from '../../contracts/route.ts';
import { missing, owned } from './check-objects.ts';
import { parted } from './words.ts';

/** The route of a canary, and how both sides are called there. */
export function routeOf(spec: CanarySpec): Route {
  const { namespace, name } = parted(spec.workload);
  const { route, service = '' } = spec;
  const sides = { stable: service, candidate: candidateName(service) };
  if (route.via === 'haproxy' || route.via === 'nginx') return route;
  if (route.via === 'flag') return { ...route, namespace, name };
  const common = { namespace, name: route.name, ...matchOf(route.match) };
  if (route.via === 'gateway-api') return { via: route.via, ...common, ...sides };
  const { stable = sides.stable, candidate = sides.candidate } = route;
  return { via: route.via, ...common, stable, candidate };
}

/** What a candidate is called: as long as Kubernetes allows, and recognisable. */
export const candidateName = (name: string): string => `${name.slice(0, 63 - '-candidate'.length)}-candidate`;

function matchOf(match: MatchSpec | undefined): { readonly match?: RequestMatch } {
  if (match === undefined) return {};
  const { value } = match;
  return {
    match:
      'header' in match ? { by: 'header', name: match.header, value } : { by: 'cookie', name: match.cookie, value },
  };
}

/** How many requests make a look at the traffic. */
const usualRequests = 400;

/** How the traffic is seen; null: it is not. */
export function seenOf(spec: SeenSpec | false | undefined): Seen | null {
  if (spec === undefined || spec === false) return null;
  if ('metrics' in spec) return { by: 'metrics', source: spec.metrics, candidate: spec.candidate, stable: spec.stable };
  const at = spec.header === undefined ? { json: spec.json ?? '' } : { header: spec.header };
  return { by: 'requests', url: spec.url, at, candidate: spec.candidate, requests: spec.requests ?? usualRequests };
}

/** What speaks against a route before anything has begun: it has to send everything to the stable side. */
export function routeProblems(route: Route, facts: RouteFacts | null, spec: RouteSpec): readonly FieldProblem[] {
  if (facts === null) return [];
  const { weight, because } = facts.state;
  if ('namespace' in route && facts.object === null)
    return [missing(kindOf(spec), `${route.namespace}/${route.name}`, facts.nearby, pointerOf(spec))];
  const called = 'namespace' in route ? `${route.namespace}/${route.name}` : route.router;
  return [
    ...owned(called, facts.ownedBy, '/route'),
    ...(weight === 0
      ? []
      : [{ pointer: '/route', detail: `${called} does not send everything to the stable side: ${because}` }]),
  ];
}

const kindOf = ({ via }: RouteSpec): string =>
  via === 'gateway-api' ? 'HTTPRoute' : via === 'istio' ? 'VirtualService' : 'ConfigMap';

const pointerOf = ({ via }: RouteSpec): string => (via === 'flag' ? '/workload' : '/route/name');

/** What is said of a spec in which nobody looks where the traffic goes. */
export const unseen = ({ seen }: Pick<CanarySpec, 'seen'>): Finding[] =>
  seen === false
    ? [
        {
          code: 'TRAFFIC_UNSEEN',
          level: 'warned',
          detail: 'the route is read back, but nobody looks where the traffic goes',
          pointer: '/seen',
        },
      ]
    : [];
