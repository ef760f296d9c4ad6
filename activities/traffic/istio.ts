import type { IstioRoute, RequestMatch } from '../../contracts/route.ts';
import type { FoundObject } from '../kubernetes/objects.ts';
import { objectRouter } from './object-route.ts';
import { splitOf, withWeight, type RuleForm } from './weighted-rules.ts';

interface Destination {
  readonly destination: { readonly host: string; readonly subset?: string };
  readonly weight?: number;
}
interface Match {
  readonly headers?: Readonly<Record<string, unknown>>;
}
interface HttpRule {
  readonly match?: readonly Match[];
  readonly route?: readonly Destination[];
}
interface VirtualService extends FoundObject {
  readonly spec?: { readonly http?: readonly HttpRule[] };
}

const form: RuleForm<HttpRule, Destination> = {
  targetsOf: ({ route = [] }) => route,
  withTargets: (rule, route) => ({ ...rule, route }),
  nameOf: ({ destination: { host, subset } }) => (subset === undefined ? host : `${host}#${subset}`),
  // where there is one destination, nobody writes a weight
  weightOf: ({ weight = 100 }) => weight,
  target: ({ weight: _, destination: { subset: __, ...rest }, ...like }, name, weight) => {
    const [host = '', subset] = name.split('#');
    const destination = { ...rest, host, ...(subset === undefined ? {} : { subset }) };
    return { ...like, destination, ...(weight === null ? {} : { weight }) };
  },
};

/** Weights of a VirtualService (networking.istio.io/v1). With a match, its rules come first: the first that fits is taken. */
export const istio = objectRouter<IstioRoute, VirtualService>({
  kind: 'VirtualService',
  stateOf: (found, route) => splitOf(form, plain(found, route), route),
  change: (found, route, weight) => {
    const rules = withWeight(form, plain(found, route), route, weight);
    const twins = weight === 0 || route.match === undefined ? [] : twinsOf(rules, route, route.match);
    return { spec: { ...found.spec, http: [...twins, ...rules] } };
  },
  services: ({ stable, candidate }, weight) =>
    [...(weight > 0 ? [candidate] : []), ...(weight < 100 ? [stable] : [])]
      .map((name) => name.split('#')[0] ?? '')
      // a host with dots may be anywhere, and need not be a Service
      .filter((host) => !host.includes('.')),
});

const plain = ({ spec }: VirtualService, { match }: IstioRoute): readonly HttpRule[] =>
  (spec?.http ?? []).filter((rule) => match === undefined || !isTwin(rule, match));

const isTwin = ({ match = [] }: HttpRule, request: RequestMatch): boolean => {
  const ours = JSON.stringify(headersOf(request));
  return match.length > 0 && match.every(({ headers = {} }) => includes(headers, ours));
};

const includes = (headers: Readonly<Record<string, unknown>>, ours: string): boolean =>
  Object.entries(headers).some(([name, rule]) => JSON.stringify({ [name]: rule }) === ours);

const twinsOf = (
  rules: readonly HttpRule[],
  { stable, candidate }: IstioRoute,
  request: RequestMatch,
): readonly HttpRule[] =>
  withWeight(
    form,
    rules.filter((rule) => form.targetsOf(rule).some((target) => [stable, candidate].includes(form.nameOf(target)))),
    { stable, candidate },
    100,
  ).map((rule) => ({
    ...rule,
    match: (rule.match ?? [{}]).map((one) => ({ ...one, headers: { ...one.headers, ...headersOf(request) } })),
  }));

const headersOf = ({ by, name, value }: RequestMatch): Readonly<Record<string, object>> =>
  by === 'header' ? { [name]: { exact: value } } : { cookie: { regex: `^(.*;\\s*)?${name}=${value}(;.*)?$` } };
