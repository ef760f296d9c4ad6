import type { Gate, GateCheck, GateWindow, Verdict } from '../contracts/gate.ts';

/**
 * Says what the latest windows of a gate mean: `rollback` when a check is out of its bounds in too many of them, `hold`
 * while too few of them can be judged, else `promote`. Windows with too few requests say nothing; no data never promotes.
 */
export function judgeWindows(gate: Gate, windows: readonly GateWindow[]): Verdict {
  const latest = windows.slice(-gate.of);
  for (const check of gate.checks) {
    const out = latest.filter((window) => isOut(gate, check, window));
    const last = out.at(-1);
    if (out.length >= gate.fails && last !== undefined)
      return {
        decision: 'rollback',
        because: `${check.name} ${words(check, last)} in ${out.length} of the last ${latest.length} windows`,
      };
  }
  const told = latest.filter((window) => tells(gate, window));
  if (told.length === 0) return { decision: 'hold', because: unjudged(gate, latest) };
  const open = gate.checks.find((check) => isOut(gate, check, told[told.length - 1]));
  if (open !== undefined) return { decision: 'hold', because: `${open.name} is out of its bounds in the last window` };
  return { decision: 'promote', because: `${gate.checks.map(({ name }) => name).join(', ')} within bounds` };
}

const isOut = (gate: Gate, { name, max }: GateCheck, window: GateWindow | undefined): boolean => {
  const value = window?.values[name] ?? null;
  return window !== undefined && enough(gate, window) && value !== null && value > max;
};

const enough = ({ atLeast }: Gate, { requests }: GateWindow): boolean => requests !== null && requests >= atLeast;

const tells = (gate: Gate, window: GateWindow): boolean =>
  enough(gate, window) && gate.checks.every(({ name }) => (window.values[name] ?? null) !== null);

function unjudged({ atLeast }: Gate, windows: readonly GateWindow[]): string {
  const last = windows.at(-1);
  if (last === undefined) return 'no window is over yet';
  if (last.requests === null) return 'requests: not measured';
  return last.requests < atLeast
    ? `${last.requests} requests in the last window, fewer than ${atLeast}`
    : 'a check is not measured';
}

const words = ({ name, max, unit }: GateCheck, { values }: GateWindow): string =>
  `${shown(values[name] ?? Number.NaN, unit)}, above ${shown(max, unit)}`;

const shown = (value: number, unit: string): string =>
  unit === '%' ? `${(value * 100).toFixed(2)} %` : `${value.toFixed(1)} ${unit}`;
