import type { Dependency, Gate, Probe } from '../../contracts/gate.ts';
import type { ShadowStage, ShiftStage, Stage, ValidateStage } from '../../contracts/plan.ts';
import type { Breaker, Progress, Traffic } from '../../contracts/progress.ts';
import { ago, count, duration } from './format.ts';

/** What a stage of a release does besides its title, each in a few words. */
export function releaseWords(stage: Stage): readonly string[] {
  if (stage.kind === 'shift') return shiftWords(stage);
  if (stage.kind === 'shadow') return shadowWords(stage);
  return stage.kind === 'validate' ? validateWords(stage) : [];
}

function shiftWords({ gate, seen, onFail, weight, forMs, dependencies = [] }: ShiftStage): readonly string[] {
  const needs = dependencies.map(dependencyWords);
  const looks =
    seen === null
      ? []
      : [seen.by === 'requests' ? `seen by ${count(seen.requests)} requests` : `seen by ${seen.source}`];
  // a share that is only set and read back has nothing to be judged by
  if (gate === null) return forMs === 0 ? looks : [...looks, 'no checks', ...needs];
  return [...looks, gateWords(gate), `else ${failWords(onFail, weight)}`, ...needs];
}

/** `needs scores-db (tcp db.data:5432 every 10 s): home after 3 bad answers of 5, a person after 30 min`. */
const dependencyWords = ({ name, probe, everyMs, fails, of, openForMs }: Dependency): string =>
  `needs ${name} (${probeWords(probe)} every ${duration(everyMs)}): home after ${fails} bad answers of ${of}, a person after ${duration(openForMs)}`;

/** `errors ≤ 0.5 %, p99 ≤ 300 ms (shop-prometheus, 3 of 5 windows of 1 min)`. */
function gateWords({ checks, metrics, fails, of, windowMs, blind, blindForMs, compares = [] }: Gate): string {
  const bounds = checks.map(
    ({ name, max, unit }) => `${name} \u2264 ${unit === '%' ? percentOf(max) : `${max} ${unit}`}`,
  );
  const beside = compares.map(
    ({ name, better, margin }) =>
      `${name} ${better === 'more' ? '\u2265' : '\u2264'} stable \u00b1 ${percentOf(margin)}`,
  );
  const windows = bounds.length === 0 ? '' : `; ${fails} of ${of} windows of ${duration(windowMs)} are a failure`;
  const blindWords = blind === 'rollback' ? `; without data for ${duration(blindForMs)} all goes back` : '';
  return `${[...bounds, ...beside].join(', ')} (${metrics}${windows}${blindWords})`;
}

function failWords(onFail: ShiftStage['onFail'], weight: number): string {
  if (onFail === 'rollback') return 'all goes back';
  return onFail === 'hold' ? `it stays at ${weight} % for a person` : `back to ${onFail.weight} % for a person`;
}

/** Where the requests come from, what is left out, and what too little agreement leads to. */
const shadowWords = ({ source, compare, noise, onFail }: ShadowStage): readonly string[] => [
  source.by === 'list'
    ? `${count(source.requests.length)} requests`
    : `requests of ConfigMap ${source.namespace}/${source.name}`,
  ...(compare.ignore.length === 0 ? [] : [`without ${compare.ignore.join(', ')}`]),
  ...(compare.tolerance.length === 0 ? [] : [`about ${compare.tolerance.map(({ at }) => at).join(', ')}`]),
  ...(noise ? ['the stable side asked twice'] : []),
  onFail === 'rollback' ? 'else all goes back' : 'else it stays for a person',
];

const validateWords = ({ probes }: ValidateStage): readonly string[] => [probes.map(probeWords).join(', ')];

function probeWords(probe: Probe): string {
  if (probe.by === 'http') return `GET ${probe.url}`;
  if (probe.by === 'trino')
    return `trino ${probe.address} (${probe.sql.length === 1 ? '1 statement' : `${probe.sql.length} statements`})`;
  if (probe.by !== 'exec') return `${probe.by} ${probe.address}`;
  return `runs ${probe.command[0] ?? ''} in ${probe.of.kind} ${probe.of.namespace}/${probe.of.name}`;
}

/** Where the traffic goes now, and what its checks say; no line when nothing has been moved. `now` in epoch ms. */
export function trafficLines(progress: Progress, now: number): readonly string[] {
  const { traffic, outcome, verdict, deadline, breakers = [] } = progress;
  if (outcome !== null) return [];
  const judged = verdict !== null && (deadline !== null || progress.parked !== null);
  const where = (at: Traffic): string =>
    `  traffic: ${[...whereWords(at, now), `looked ${ago(at.lookedAt, now)}`].join(' \u00b7 ')}`;
  return [
    ...(traffic === undefined ? [] : [where(traffic)]),
    ...(traffic === undefined || !judged ? [] : [`  checks: ${verdict.decision}: ${verdict.because}`]),
    ...breakers.map((breaker) => `  needs ${breakerWords(breaker, now).join(' \u00b7 ')}`),
  ];
}

/** What a dependency is, since when and why, and when a person is called. */
const breakerWords = ({ name, state, since, because, answers, lookedAt, until }: Breaker, now: number): string[] => [
  `${name}: ${state} for ${duration(Math.max(0, now - since))}`,
  ...(because === null || (state === 'closed' && answers.at(-1) === true) ? [] : [because]),
  lookedAt === 0 ? 'not looked at yet' : `looked ${ago(lookedAt, now)}`,
  ...(until === null ? [] : [`a person is called in ${duration(Math.max(0, until - now))}`]),
];

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
