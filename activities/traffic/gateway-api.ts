import type { GatewayRoute, RequestMatch } from '../../contracts/route.ts';
import type { FoundObject } from '../kubernetes/objects.ts';
import { objectRouter } from './object-route.ts';
import { routedRules, stateOfRules, type TwinForm } from './twin-rules.ts';
import { listsBoth, type RuleForm } from './weighted-rules.ts';

interface BackendRef {
  readonly kind?: string;
  readonly name: string;
  readonly weight?: number;
}
interface HeaderMatch {
  readonly type: 'Exact' | 'RegularExpression';
  readonly name: string;
  readonly value: string;
}
interface Match {
  readonly headers?: readonly HeaderMatch[];
}
interface Rule {
  readonly name?: string;
  readonly matches?: readonly Match[];
  readonly backendRefs?: readonly BackendRef[];
}
interface HttpRoute extends FoundObject {
  readonly spec?: { readonly rules?: readonly Rule[] };
}

const form: RuleForm<Rule, BackendRef> = {
  targetsOf: ({ backendRefs = [] }) => backendRefs,
  withTargets: (rule, backendRefs) => ({ ...rule, backendRefs }),
  // another kind of backend of the same name is another one
  nameOf: ({ kind = 'Service', name }) => (kind === 'Service' ? name : `${kind} ${name}`),
  weightOf: ({ weight = 1 }) => weight,
  target: (like, name, weight) => ({ ...like, name, weight: weight ?? 1 }),
};

/**
 * Weights of an HTTPRoute's rules (gateway.networking.k8s.io/v1). Its own status does not prove that the traffic has
 * moved. With a match, each rule has a twin for such requests as long as the traffic is divided.
 */
export const gatewayApi = objectRouter<GatewayRoute, HttpRoute>({
  kind: 'HTTPRoute',
  stateOf: ({ spec }, route) => stateOfRules(form, twinsBy(route), spec?.rules ?? [], route),
  change: ({ spec }, route, weight, both) => ({
    spec: { ...spec, rules: routedRules(form, twinsBy(route), spec?.rules ?? [], { ...route, both }, weight) },
  }),
  listsBoth: ({ spec }, route) => listsBoth(form, spec?.rules ?? [], route),
  services: ({ stable, candidate }, weight) => [...(weight > 0 ? [candidate] : []), ...(weight < 100 ? [stable] : [])],
});

const twinsBy = ({ match: request }: GatewayRoute): TwinForm<Rule> | null => {
  if (request === undefined) return null;
  const ours = headerOf(request);
  return {
    isMarked: ({ matches = [] }) =>
      matches.length > 0 && matches.every(({ headers = [] }) => headers.some(isSame(ours))),
    // names of rules are unique in a route
    twin: ({ name: _, ...rule }) => ({
      ...rule,
      matches: (rule.matches ?? [{}]).map((one) => ({ ...one, headers: [...(one.headers ?? []), ours] })),
    }),
  };
};

const isSame =
  (ours: HeaderMatch) =>
  ({ type, name, value }: HeaderMatch): boolean =>
    type === ours.type && name === ours.name && value === ours.value;

const headerOf = ({ by, name, value }: RequestMatch): HeaderMatch =>
  by === 'header'
    ? { type: 'Exact', name, value }
    : { type: 'RegularExpression', name: 'Cookie', value: `(^|.*;\\s*)${name}=${value}(;.*|$)` };
