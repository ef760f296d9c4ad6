import type { Probe } from '../../contracts/gate.ts';
import type { ValidateStage } from '../../contracts/plan.ts';
import type { ProbeSpec, ValidateSpec } from '../../contracts/release-spec.ts';
import { backoff } from '../backoff.ts';
import { formatDuration } from '../duration.ts';
import { ms, parted } from './words.ts';

const usual = {
  tries: 30,
  every: '2s',
  needs: 3,
  timeout: '2s',
  status: 200,
  sqlTimeout: '10s',
  user: 'lakeshift',
} as const;

/** The stage that asks a side before it gets traffic. */
export function validation(spec: ValidateSpec, side: string, target: string): ValidateStage {
  const { tries = usual.tries, every = usual.every, needs = usual.needs, backoff } = spec;
  const backoffMs = backoff === undefined ? null : ms(backoff);
  return {
    kind: 'validate',
    name: 'validate',
    title: `${side} answers ${needs} times in a row, ${tries} tries every ${every}${longestWords(spec, tries, ms(every))}`,
    undoTitle: 'nothing to take back',
    approve: null,
    estimateMs: needs * ms(every),
    probes: spec.probes.map((probe) => probeOf(probe, target)),
    tries,
    everyMs: ms(every),
    ...(backoffMs === null ? {} : { backoffMs }),
    needs,
  };
}

/** With waits of different length nobody sees at once how long it may take: when no try is answered, and each in its time. */
function longestWords({ backoff: longest, probes }: ValidateSpec, tries: number, everyMs: number): string {
  if (longest === undefined) return '';
  const waits = Array.from({ length: tries - 1 }, (_, index) => backoff(everyMs, ms(longest), index + 1));
  const asked = probes.reduce(
    (sum, probe) => sum + ms(probe.timeout ?? ('trino' in probe ? usual.sqlTimeout : usual.timeout)),
    0,
  );
  const totalMs = waits.reduce((sum, wait) => sum + wait, tries * asked);
  return `, later up to ${longest}; ${formatDuration(totalMs)} at the most`;
}

/** How a side, or what it needs, is asked; `target` is the cluster of the spec. */
export function probeOf(spec: ProbeSpec, target: string): Probe {
  if ('trino' in spec) return trinoProbe(spec);
  const timeoutMs = ms(spec.timeout ?? usual.timeout);
  if ('http' in spec) return { by: 'http', url: spec.http, status: spec.status ?? usual.status, timeoutMs };
  if ('tcp' in spec) return { by: 'tcp', address: spec.tcp, timeoutMs };
  if ('exec' in spec) return commandProbe(spec, target, timeoutMs);
  return { by: 'grpc', address: spec.grpc, service: spec.service ?? '', timeoutMs };
}

function commandProbe(
  { exec, kind = 'Deployment', container, command }: Extract<ProbeSpec, { readonly exec: string }>,
  target: string,
  timeoutMs: number,
): Probe {
  return { by: 'exec', target, of: { kind, ...parted(exec) }, container: container ?? null, command, timeoutMs };
}

function trinoProbe(spec: Extract<ProbeSpec, { readonly trino: string }>): Probe {
  const { trino: address, sql, user = usual.user, timeout = usual.sqlTimeout } = spec;
  return { by: 'trino', address, user, sql: typeof sql === 'string' ? [sql] : sql, timeoutMs: ms(timeout) };
}
