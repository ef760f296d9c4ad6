import type { GateWindow } from '../../contracts/gate.ts';

const window = (requests: number | null, errors: number | null): readonly GateWindow[] => {
  const to = Date.now();
  return [{ from: to - 60_000, to, requests, values: { errors } }];
};

/** What the windows of a gate say of a candidate, by the check `errors`. */
export const windows = {
  good: () => window(1_000, 0),
  bad: () => window(1_000, 0.5),
  tooFew: () => window(3, 0),
  notMeasured: () => window(1_000, null),
  none: () => [],
} as const;
