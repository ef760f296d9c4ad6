import type { PointerCount, Shadow, SideLatency } from '../../contracts/progress.ts';
import { count } from './format.ts';

/** So many places stand in a line; `--json` has all. */
const most = 10;

/** What the candidate of a shadow has answered beside the stable side; no line when nothing was compared. */
export function shadowLines(shadow: Shadow | null): readonly string[] {
  if (shadow === null) return [];
  const { compared, agreed, silent, interval, differs, noise, latency, requests } = shadow;
  const share = compared === 0 ? '' : ` (${percentOf(agreed / compared)})`;
  const within =
    interval === null
      ? 'not judged yet'
      : `${percentOf(interval.low)} to ${percentOf(interval.high)} at ${percentOf(interval.confidence)} confidence`;
  return [
    `answers that agree: ${count(agreed)} of ${count(compared)}${share} \u00b7 ${within} \u00b7 ${count(requests)} different requests`,
    ...(silent === 0 ? [] : [`without an answer of the stable side: ${count(silent)}, which tell nothing`]),
    ...placesLine('they differ in', differs),
    ...placesLine('the stable side differs from itself in', noise),
    `p50 and p99, stable \u2192 candidate: ${change(latency.stable, latency.candidate, 'p50Ms')}, ${change(latency.stable, latency.candidate, 'p99Ms')}`,
  ];
}

const placesLine = (words: string, places: readonly PointerCount[]): string[] =>
  places.length === 0
    ? []
    : [
        `${words}: ${places
          .slice(0, most)
          .map(({ at, count: times }) => `${at} ${count(times)}`)
          .join(' \u00b7 ')}${places.length > most ? ` \u00b7 and ${places.length - most} more` : ''}`,
      ];

const change = (stable: SideLatency, candidate: SideLatency, at: 'p50Ms' | 'p99Ms'): string =>
  `${time(stable[at])} \u2192 ${time(candidate[at])}`;

const time = (ms: number | null): string =>
  ms === null ? 'not measured' : `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;

/** Never more than it is: 99.996 % is not 100. */
const percentOf = (share: number): string => `${(Math.floor(share * 10_000) / 100).toFixed(2).replace(/\.?0+$/, '')} %`;
