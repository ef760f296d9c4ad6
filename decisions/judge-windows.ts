import type { ComparedCounts, Gate, GateCheck, GateWindow, Verdict } from '../contracts/gate.ts';
import { judgeComparison } from './judge-comparison.ts';

/**
 * Says what the latest windows of a gate mean, oldest first; `blindBecause`: why the source gives nothing now, or null.
 *
 * `rollback`: a check is out of its bounds in `fails` of the last `of` windows, each with enough requests. `promote`:
 * as many windows as that could be judged, the last one among them, and that one is within all bounds. Else `hold`, with
 * what is missing. What is bad stays bad when the source falls silent; nothing is ever good for want of data. What is
 * compared with the stable side, since the step began, has to agree.
 */
export function judgeWindows(
  gate: Gate,
  windows: readonly GateWindow[],
  blindBecause: string | null = null,
  compared: Readonly<Record<string, ComparedCounts | null>> = {},
): Verdict {
  const latest = windows.slice(-gate.of);
  const beside = (gate.compares ?? []).map((one) => judgeComparison(one, compared[one.name] ?? null));
  return (
    failed(gate, latest) ??
    beside.find(({ decision }) => decision === 'rollback') ??
    held(gate, latest, blindBecause) ??
    beside.find(({ decision }) => decision === 'hold') ??
    promoted(gate, latest, beside)
  );
}

function failed(gate: Gate, latest: readonly GateWindow[]): Verdict | null {
  for (const check of gate.checks) {
    const out = latest.filter((window) => isOut(gate, check, window));
    const last = out.at(-1);
    if (out.length >= gate.fails && last !== undefined)
      return {
        decision: 'rollback',
        because: `${check.name} ${words(check, last)} in ${out.length} of the last ${latest.length} windows`,
      };
  }
  return null;
}

function held(gate: Gate, latest: readonly GateWindow[], blindBecause: string | null): Verdict | null {
  const because =
    blindBecause ?? unjudged(gate, latest.at(-1)) ?? stillOut(gate, latest.at(-1)) ?? tooFew(gate, latest);
  return because === null ? null : { decision: 'hold', because };
}

function promoted({ checks }: Gate, latest: readonly GateWindow[], beside: readonly Verdict[]): Verdict {
  const names = checks.map(({ name }) => name).join(', ');
  const bounds = names === '' ? [] : [`${names} within bounds in the last of ${latest.length} windows`];
  return { decision: 'promote', because: [...bounds, ...beside.map(({ because }) => because)].join('; ') };
}

/** Why a window says nothing: it is not there, nobody could count, there was too little, or a check has no value. */
function unjudged(gate: Gate, window: GateWindow | undefined): string | null {
  if (gate.checks.length === 0 && gate.compares === undefined) return 'there is no check';
  if (window === undefined) return 'no window is over yet';
  const { requests } = window;
  if (requests === null) return 'requests: not measured in the last window';
  if (requests < gate.atLeast) return `${counted(requests)} requests in the last window, fewer than ${gate.atLeast}`;
  const blank = gate.checks.find((check) => valueOf(check, window) === null);
  return blank === undefined ? null : `${blank.name}: not measured in the last window`;
}

function stillOut(gate: Gate, window: GateWindow | undefined): string | null {
  const check = gate.checks.find((one) => isOut(gate, one, window));
  return check === undefined || window === undefined
    ? null
    : `${check.name} ${words(check, window)} in the last window`;
}

/** Fewer windows than a failure takes can not show one. */
function tooFew(gate: Gate, latest: readonly GateWindow[]): string | null {
  const told = latest.filter((window) => unjudged(gate, window) === null).length;
  return told >= gate.fails
    ? null
    : `${told} of the last ${latest.length} windows could be judged, fewer than ${gate.fails}`;
}

const isOut = (gate: Gate, check: GateCheck, window: GateWindow | undefined): boolean => {
  const value = window === undefined ? null : valueOf(check, window);
  return value !== null && enough(gate, window) && value > check.max;
};

const enough = ({ atLeast }: Gate, window: GateWindow | undefined): boolean => (window?.requests ?? -1) >= atLeast;

const valueOf = ({ name }: GateCheck, { values }: GateWindow): number | null => values[name] ?? null;

const words = (check: GateCheck, window: GateWindow): string =>
  `${shown(valueOf(check, window) ?? Number.NaN, check.unit)}, above ${shown(check.max, check.unit)}`;

const counted = (requests: number): string => String(Math.round(requests * 10) / 10);

const shown = (value: number, unit: string): string =>
  unit === '%' ? `${(value * 100).toFixed(2)} %` : `${value.toFixed(1)} ${unit}`;
