import type { Comparison, Gate, GateCheck } from '../../contracts/gate.ts';
import type { CompareSpec } from '../../contracts/compare-spec.ts';
import type { ChecksSpec } from '../../contracts/release-spec.ts';
import { ms } from './words.ts';

/** Windows of a minute; three of the last five out of bounds are a failure. */
const usual = { window: '1m', fail: '3 of 5', atLeast: 100, blindFor: '5m' } as const;

/** `3 of 5`, read. Null: it is something else. */
export function parseFail(text: string): { readonly fails: number; readonly of: number } | null {
  const [, fails, of] = /^([1-9]\d?) of ([1-9]\d?)$/.exec(text) ?? [];
  return fails === undefined || Number(fails) > Number(of) ? null : { fails: Number(fails), of: Number(of) };
}

/** `1%` or `0.5%` as a part of one. Null: it is something else. */
export function parsePercent(text: string): number | null {
  const [, number] = /^(\d{1,3}(?:\.\d{1,4})?)\s*%$/.exec(text) ?? [];
  const percent = Number(number);
  return number === undefined || percent > 100 ? null : percent / 100;
}

/** The gate of checks that were found well formed; null: there are none. */
export function gateOf(spec: ChecksSpec | false | undefined): Gate | null {
  if (spec === undefined || spec === false) return null;
  return {
    metrics: spec.metrics,
    requests: spec.requests,
    checks: [...errors(spec), ...quantile(spec, 'p95'), ...quantile(spec, 'p99')],
    ...windowsOf(spec),
    blindForMs: ms(spec.blindFor ?? usual.blindFor),
    ...(spec.blind === 'rollback' ? { blind: spec.blind } : {}),
    ...comparisons(spec),
  };
}

function windowsOf({ window = usual.window, fail = usual.fail, atLeast = usual.atLeast }: ChecksSpec) {
  return { windowMs: ms(window), ...(parseFail(fail) ?? { fails: 3, of: 5 }), atLeast };
}

/** Plans of specs without any are as they were. */
const comparisons = ({ compare }: ChecksSpec): Pick<Gate, 'compares'> =>
  compare === undefined ? {} : { compares: compare.map(comparisonOf) };

const usualCompare = { better: 'more', margin: '1%', atLeast: 100 } as const;

const comparisonOf = ({ name, candidate, stable, ...spec }: CompareSpec): Comparison => ({
  name,
  better: spec.better ?? usualCompare.better,
  candidate,
  stable,
  margin: parsePercent(spec.margin ?? usualCompare.margin) ?? 0,
  atLeast: spec.atLeast ?? usualCompare.atLeast,
});

const errors = ({ errors }: ChecksSpec): GateCheck[] =>
  errors === undefined
    ? []
    : [{ name: 'errors', kind: 'ratio', query: errors.query, max: parsePercent(errors.max) ?? 0, unit: '%', scale: 1 }];

function quantile(spec: ChecksSpec, name: 'p95' | 'p99'): GateCheck[] {
  const check = spec[name];
  if (check === undefined) return [];
  return [{ name, kind: 'value', query: check.query, max: ms(check.max), unit: 'ms', scale: 1_000 }];
}

/** What a gate asks, in words. */
export const gateWords = (gate: Gate | null): string =>
  gate === null ? '' : `; ${[...boundWords(gate), ...(gate.compares ?? []).map(compareWords)].join(', ')}`;

function boundWords({ checks, fails, of }: Gate): readonly string[] {
  const words = checks.map(({ name, max, unit }) => `${name} ≤ ${unit === '%' ? `${max * 100} %` : `${max} ${unit}`}`);
  return words.length === 0 ? [] : [...words, `${fails} of ${of} windows`];
}

const compareWords = ({ name, better, margin }: Comparison): string =>
  `${name} ${better === 'more' ? '≥' : '≤'} stable ± ${margin * 100} %`;
