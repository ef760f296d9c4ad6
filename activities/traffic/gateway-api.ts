import type { GatewayRoute, RequestMatch } from '../../contracts/route.ts';
import type { FoundObject } from '../kubernetes/objects.ts';
import { objectRouter } from './object-route.ts';
import { splitOf, withWeight, type RuleForm } from './weighted-rules.ts';

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
 * moved. With a match, each rule has a twin for such requests as long as the candidate has any share.
 */
export const gatewayApi = objectRouter<GatewayRoute, HttpRoute>({
  kind: 'HTTPRoute',
  stateOf: (found, route) => splitOf(form, plain(found, route), route),
  change: (found, route, weight) => {
    const rules = withWeight(form, plain(found, route), route, weight);
    const twins = weight === 0 || route.match === undefined ? [] : twinsOf(rules, route, route.match);
    return { spec: { ...found.spec, rules: [...twins, ...rules] } };
  },
  services: ({ stable, candidate }, weight) => [...(weight > 0 ? [candidate] : []), ...(weight < 100 ? [stable] : [])],
});

/** The rules without the twins. */
const plain = ({ spec }: HttpRoute, { match }: GatewayRoute): readonly Rule[] =>
  (spec?.rules ?? []).filter((rule) => match === undefined || !isTwin(rule, headerOf(match)));

const isTwin = ({ matches = [] }: Rule, { name, value }: HeaderMatch): boolean =>
  matches.length > 0 &&
  matches.every(({ headers = [] }) => headers.some((header) => header.name === name && header.value === value));

const twinsOf = (rules: readonly Rule[], { stable, candidate }: GatewayRoute, match: RequestMatch): readonly Rule[] =>
  withWeight(
    form,
    rules.filter((rule) => form.targetsOf(rule).some((target) => [stable, candidate].includes(form.nameOf(target)))),
    { stable, candidate },
    100,
  ).map((rule) => ({
    ...rule,
    matches: (rule.matches ?? [{}]).map((one) => ({ ...one, headers: [...(one.headers ?? []), headerOf(match)] })),
  }));

const headerOf = ({ by, name, value }: RequestMatch): HeaderMatch =>
  by === 'header'
    ? { type: 'Exact', name, value }
    : { type: 'RegularExpression', name: 'Cookie', value: `(^|.*;\\s*)${name}=${value}(;.*|$)` };
