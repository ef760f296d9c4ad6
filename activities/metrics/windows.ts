import type { Gate, GateWindow } from '../../contracts/gate.ts';
import type { FindMetrics } from './index.ts';

/** What the latest windows of a gate say; only those that are over, and began at `since` (epoch ms) or later. */
export async function readWindows(
  gate: Gate,
  _since: number,
  metrics: FindMetrics,
): Promise<{ readonly windows: readonly GateWindow[]; readonly blindBecause: string | null }> {
  const source = metrics(gate.metrics);
  await Promise.resolve();
  if (source === null) return { windows: [], blindBecause: `the worker knows no metrics source ${gate.metrics}` };
  return { windows: [], blindBecause: 'not built yet' };
}
