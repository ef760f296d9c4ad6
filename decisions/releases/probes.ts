import type { Probe } from '../../contracts/gate.ts';
import type { ValidateStage } from '../../contracts/plan.ts';
import type { ProbeSpec, ValidateSpec } from '../../contracts/release-spec.ts';
import { ms } from './words.ts';

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
export function validation(spec: ValidateSpec, side: string): ValidateStage {
  const { tries = usual.tries, every = usual.every, needs = usual.needs } = spec;
  return {
    kind: 'validate',
    name: 'validate',
    title: `${side} answers ${needs} times in a row, ${tries} tries every ${every}`,
    undoTitle: 'nothing to take back',
    approve: null,
    estimateMs: needs * ms(every),
    probes: spec.probes.map(probeOf),
    tries,
    everyMs: ms(every),
    needs,
  };
}

function probeOf(spec: ProbeSpec): Probe {
  if ('trino' in spec) return trinoProbe(spec);
  const timeoutMs = ms(spec.timeout ?? usual.timeout);
  if ('http' in spec) return { by: 'http', url: spec.http, status: spec.status ?? usual.status, timeoutMs };
  if ('tcp' in spec) return { by: 'tcp', address: spec.tcp, timeoutMs };
  return { by: 'grpc', address: spec.grpc, service: spec.service ?? '', timeoutMs };
}

function trinoProbe(spec: Extract<ProbeSpec, { readonly trino: string }>): Probe {
  const { trino: address, sql, user = usual.user, timeout = usual.sqlTimeout } = spec;
  return { by: 'trino', address, user, sql: typeof sql === 'string' ? [sql] : sql, timeoutMs: ms(timeout) };
}
