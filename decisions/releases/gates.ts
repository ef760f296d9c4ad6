import type { Gate, GateCheck } from '../../contracts/gate.ts';
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
  };
}

function windowsOf({ window = usual.window, fail = usual.fail, atLeast = usual.atLeast }: ChecksSpec) {
  return { windowMs: ms(window), ...(parseFail(fail) ?? { fails: 3, of: 5 }), atLeast };
}

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
  gate === null
    ? ''
    : `; ${gate.checks.map(({ name, max, unit }) => `${name} ≤ ${unit === '%' ? `${max * 100} %` : `${max} ${unit}`}`).join(', ')}, ${gate.fails} of ${gate.of} windows`;
