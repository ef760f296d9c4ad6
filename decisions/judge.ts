import type { Check, Reading, Verdict } from '../contracts/gate.ts';

/** Says what to do about readings: promote when each check has one within its bounds, otherwise hold. */
export function judge(checks: readonly Check[], readings: readonly Reading[]): Verdict {
  for (const check of checks) {
    const fault = faultOf(check, readings.find(({ name }) => name === check.name)?.value ?? null);
    if (fault !== null) return { decision: 'hold', because: fault };
  }
  return { decision: 'promote', because: checks.map(({ name }) => `${name} within bounds`).join(', ') };
}

function faultOf({ name, min = -Infinity, max = Infinity }: Check, value: number | null): string | null {
  if (value === null) return `${name}: not measured`;
  if (value < min) return `${name}: ${value}, below ${min}`;
  return value > max ? `${name}: ${value}, above ${max}` : null;
}
