import type { V1ConfigMap } from '@kubernetes/client-node';
import type { FlagRoute, RouteState } from '../../contracts/route.ts';
import { failure } from '../failures.ts';
import { objectRouter } from './object-route.ts';
import { percentOf } from './weighted-rules.ts';

interface Flag {
  readonly state?: string;
  readonly variants?: Readonly<Record<string, unknown>>;
  readonly defaultVariant?: string;
  readonly targeting?: { readonly fractional?: readonly unknown[] };
}
interface FlagFile {
  readonly flags?: Readonly<Record<string, Flag>>;
}

/**
 * A flag of flagd in a ConfigMap: the share of the users by its `fractional` operator
 * (flagd.dev/reference/custom-operations/fractional-operation); the same user stays on the same side.
 */
export const flag = objectRouter<FlagRoute, V1ConfigMap>({
  kind: 'ConfigMap',
  stateOf: (found, route) => {
    const file = fileOf(found, route);
    const { [route.flag]: one } = file?.flags ?? {};
    if (one === undefined) return { weight: null, because: `there is no flag ${route.flag} in key ${route.key}` };
    return stateOf(one, route);
  },
  change: (found, route, weight) => {
    const file = fileOf(found, route);
    const one = file?.flags?.[route.flag];
    if (one === undefined) throw failure('TARGET_DRIFTED', `there is no flag ${route.flag} in key ${route.key}`);
    const changed = { ...file, flags: { ...file?.flags, [route.flag]: withWeight(one, route, weight) } };
    return { data: { [route.key]: `${JSON.stringify(changed, null, 2)}\n` } };
  },
  services: () => [],
});

function fileOf({ data = {} }: V1ConfigMap, { key }: FlagRoute): FlagFile | null {
  try {
    // flagd's own schema; what else is in it is left as it is
    return JSON.parse(data[key] ?? 'null') as FlagFile | null;
  } catch {
    return null;
  }
}

function stateOf({ state, variants = {}, defaultVariant, targeting = {} }: Flag, route: FlagRoute): RouteState {
  const { stable, candidate } = route;
  if (state === 'DISABLED') return { weight: null, because: 'the flag is disabled' };
  const lacking = [stable, candidate].find((name) => !(name in variants));
  if (lacking !== undefined) return { weight: null, because: `the flag has no variant ${lacking}` };
  return Object.keys(targeting).length === 0
    ? byDefault(defaultVariant, stable, candidate)
    : byTargeting(targeting, stable, candidate);
}

function byTargeting(targeting: NonNullable<Flag['targeting']>, stable: string, candidate: string): RouteState {
  const { fractional } = targeting;
  const shares = fractional?.every(isShare) === true ? fractional : undefined;
  // an expression that says by what users are told apart is one of them too
  if (shares === undefined || Object.keys(targeting).length > 1)
    return { weight: null, because: 'the flag has other targeting' };
  if (shares.some(([name]) => name !== stable && name !== candidate))
    return { weight: null, because: 'the flag has shares of other variants' };
  const share = (name: string): number =>
    shares.filter(([of]) => of === name).reduce((all, [, weight = 1]) => all + weight, 0);
  return percentOf(share(stable), share(candidate));
}

const isShare = (one: unknown): one is readonly [string, number?] =>
  Array.isArray(one) && typeof one[0] === 'string' && (one.length === 1 || typeof one[1] === 'number');

function byDefault(variant: string | undefined, stable: string, candidate: string): RouteState {
  if (variant === stable) return { weight: 0, because: `everybody has ${stable}` };
  if (variant === candidate) return { weight: 100, because: `everybody has ${candidate}` };
  return { weight: null, because: `everybody has neither ${stable} nor ${candidate}` };
}

function withWeight({ targeting: _, ...one }: Flag, { stable, candidate }: FlagRoute, weight: number): Flag {
  if (weight === 0 || weight === 100) return { ...one, defaultVariant: weight === 0 ? stable : candidate };
  return {
    ...one,
    defaultVariant: stable,
    targeting: {
      fractional: [
        [candidate, weight],
        [stable, 100 - weight],
      ],
    },
  };
}
