import type { IstioRoute, RequestMatch } from '../../contracts/route.ts';
import type { FoundObject } from '../kubernetes/objects.ts';
import { hostIn, lackingSubset } from './istio-subsets.ts';
import { objectRouter } from './object-route.ts';
import { routedRules, stateOfRules, type TwinForm } from './twin-rules.ts';
import { listsBoth, type RuleForm } from './weighted-rules.ts';

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
  stateOf: ({ spec }, route) => stateOfRules(form, twinsBy(route), spec?.http ?? [], route),
  change: ({ spec }, route, weight, both) => ({
    spec: { ...spec, http: routedRules(form, twinsBy(route), spec?.http ?? [], { ...route, both }, weight) },
  }),
  listsBoth: ({ spec }, route) => listsBoth(form, spec?.http ?? [], route),
  services: ({ namespace, stable, candidate }, weight) =>
    [...(weight > 0 ? [candidate] : []), ...(weight < 100 ? [stable] : [])]
      .map((name) => hostIn(namespace, name.split('#')[0] ?? ''))
      // it may be anywhere, and need not be a Service
      .filter((host) => host !== null),
  lacking: lackingSubset,
});

const twinsBy = ({ match: request }: IstioRoute): TwinForm<HttpRule> | null => {
  if (request === undefined) return null;
  const [headers, ours] = [headersOf(request), JSON.stringify(headersOf(request))];
  return {
    isMarked: ({ match = [] }) => match.length > 0 && match.every((one) => includes(one.headers ?? {}, ours)),
    twin: (rule) => ({
      ...rule,
      match: (rule.match ?? [{}]).map((one) => ({ ...one, headers: { ...one.headers, ...headers } })),
    }),
  };
};

const includes = (headers: Readonly<Record<string, unknown>>, ours: string): boolean =>
  Object.entries(headers).some(([name, rule]) => JSON.stringify({ [name]: rule }) === ours);

/** Envoy knows names of headers in small letters only. */
const headersOf = ({ by, name, value }: RequestMatch): Readonly<Record<string, object>> =>
  by === 'header'
    ? { [name.toLowerCase()]: { exact: value } }
    : { cookie: { regex: `^(.*;\\s*)?${name}=${value}(;.*)?$` } };
