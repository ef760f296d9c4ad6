import type { Gate, Probe } from '../../contracts/gate.ts';
import type { ShiftStage, Stage, ValidateStage } from '../../contracts/plan.ts';
import type { Progress, Traffic } from '../../contracts/progress.ts';
import { ago, count, duration } from './format.ts';

/** What a stage of a release does besides its title, each in a few words. */
export function releaseWords(stage: Stage): readonly string[] {
  if (stage.kind === 'shift') return shiftWords(stage);
  return stage.kind === 'validate' ? validateWords(stage) : [];
}

function shiftWords({ gate, seen, onFail, weight, forMs }: ShiftStage): readonly string[] {
  const looks =
    seen === null
      ? []
      : [seen.by === 'requests' ? `seen by ${count(seen.requests)} requests` : `seen by ${seen.source}`];
  // a share that is only set and read back has nothing to be judged by
  if (gate === null) return forMs === 0 ? looks : [...looks, 'no checks'];
  return [...looks, gateWords(gate), `else ${failWords(onFail, weight)}`];
}

/** `errors ≤ 0.5 %, p99 ≤ 300 ms (shop-prometheus, 3 of 5 windows of 1 min)`. */
function gateWords({ checks, metrics, fails, of, windowMs }: Gate): string {
  const bounds = checks.map(
    ({ name, max, unit }) => `${name} \u2264 ${unit === '%' ? percentOf(max) : `${max} ${unit}`}`,
  );
  return `${bounds.join(', ')} (${metrics}; ${fails} of ${of} windows of ${duration(windowMs)} are a failure)`;
}

function failWords(onFail: ShiftStage['onFail'], weight: number): string {
  if (onFail === 'rollback') return 'all goes back';
  return onFail === 'hold' ? `it stays at ${weight} % for a person` : `back to ${onFail.weight} % for a person`;
}

const validateWords = ({ probes }: ValidateStage): readonly string[] => [probes.map(probeWords).join(', ')];

function probeWords(probe: Probe): string {
  if (probe.by === 'http') return `GET ${probe.url}`;
  const asked = `${probe.by} ${probe.address}`;
  return probe.by === 'trino'
    ? `${asked} (${probe.sql.length === 1 ? '1 statement' : `${probe.sql.length} statements`})`
    : asked;
}

/** Where the traffic goes now, and what its checks say; no line when nothing has been moved. `now` in epoch ms. */
export function trafficLines(progress: Progress, now: number): readonly string[] {
  const { traffic, outcome, verdict, deadline } = progress;
  if (traffic === undefined || outcome !== null) return [];
  const judged = verdict !== null && (deadline !== null || progress.parked !== null);
  return [
    `  traffic: ${[...whereWords(traffic, now), `looked ${ago(traffic.lookedAt, now)}`].join(' \u00b7 ')}`,
    ...(judged ? [`  checks: ${verdict.decision}: ${verdict.because}`] : []),
  ];
}

/** Queries that are waited for; no line when none is. `now` in epoch ms. */
export function runningLines({ running, outcome }: Progress, now: number): readonly string[] {
  if (running === undefined || running === null || outcome !== null) return [];
  return [`  queries: ${running.because} \u00b7 looked ${ago(running.lookedAt, now)}`];
}

/** Where it went at the end; for a report. */
export const trafficWords = (traffic: Traffic): string => whereWords(traffic, traffic.lookedAt).join(' \u00b7 ');

const whereWords = ({ weight, seen, requests, since, repairs }: Traffic, now: number): readonly string[] => [
  weight === null ? 'somebody else has written the route' : `${weight} % on the candidate`,
  seen === null ? 'not seen in requests' : `${percentOf(seen)} of ${count(requests ?? 0)} requests seen there`,
  ...(since === null || now <= since ? [] : [`in place for ${duration(now - since)}`]),
  ...(repairs === 0 ? [] : [`put right ${repairs === 1 ? 'once' : `${repairs} times`}`]),
];

const percentOf = (share: number): string => `${(share * 100).toFixed(2).replace(/\.?0+$/, '')} %`;
