import type { DeploymentSummary, TargetView } from '../../contracts/api.ts';
import { ago } from './format.ts';
import type { Style } from './style.ts';
import { cut, maxWidth, table } from './text.ts';

/** Deployments, a line each. `now` in epoch ms. */
export function renderList(deployments: readonly DeploymentSummary[], now: number, style: Style): string {
  if (deployments.length === 0) return 'no deployments';
  const rows = deployments.map((one) => [
    one.id,
    one.phase,
    one.stage ?? '',
    one.target,
    one.startedBy,
    ago(one.startedAt, now),
  ]);
  return headed(['deployment', 'phase', 'stage', 'target', 'started by', 'started'], rows, style);
}

/** The databases that specs may name. */
export function renderTargets(targets: readonly TargetView[], style: Style): string {
  if (targets.length === 0) return 'no targets in the configuration of the service';
  const rows = targets.map(({ name, dialect, taskQueue }) => [name, dialect, taskQueue]);
  return headed(['target', 'dialect', 'task queue'], rows, style);
}

function headed(head: readonly string[], rows: readonly (readonly string[])[], style: Style): string {
  const [first = '', ...rest] = table([head, ...rows]).map((line) => cut(line.trimEnd(), maxWidth));
  return [style.dim(first), ...rest].join('\n');
}
