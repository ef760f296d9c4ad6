import type { Report } from '../../contracts/api.ts';
import type { Felt } from '../../contracts/progress.ts';
import { count, duration, moment, shortHash } from './format.ts';
import { shadowLines } from './shadow.ts';
import type { Style } from './style.ts';
import { padEnd, table, wrap } from './text.ts';
import { trafficWords } from './traffic.ts';

/** What happened: stages with their times and rows, what the application felt, and who decided what and when. */
export function renderReport(report: Report, style: Style): string {
  const { plan, outcome } = report;
  const head = `${style.bold(report.id)} · ${outcome?.phase ?? report.phase} · ${plan.strategy} on ${plan.target} · plan ${shortHash(plan.hash)}`;
  return [
    head,
    ...(outcome === null ? [] : [wrap(`  ${outcome.because} · ${moment(outcome.at)} UTC`, 2)]),
    '',
    ...stageRows(report),
    '',
    ...trafficAtEnd(report),
    ...compared(report),
    ...feltLines(report, style),
    ...approvalLines(report),
    ...decisionLines(report, style),
  ]
    .join('\n')
    .trimEnd();
}

const stageRows = ({ stages }: Report): string[] =>
  table(
    stages.map(({ name, state, ms, rows, note }) => [
      `  ${name}`,
      state,
      ms === null ? '' : duration(ms),
      rows === null ? '' : `${count(rows)} rows`,
      note ?? '',
    ]),
  ).map((line) => wrap(line.trimEnd(), 14));

/** Where it went when it was last looked at. */
const trafficAtEnd = ({ traffic }: Report): string[] =>
  traffic === undefined || traffic === null
    ? []
    : [wrap(`the traffic, when last looked at: ${trafficWords(traffic)}`, 2), ''];

/** What the candidate of a shadow answered, beside the stable side. */
function compared({ shadow }: Report): string[] {
  const lines = shadowLines(shadow ?? null).map((line) => wrap(line, 2));
  return lines.length === 0 ? [] : [...lines, ''];
}

/** Not measured is not 0: each figure says which it is. */
function feltLines({ application }: Report, style: Style): string[] {
  const { errorsCaused, longestLockMs, felt } = application;
  const paint = errorsCaused === 0 ? style.good : errorsCaused === null ? style.dim : style.bad;
  return [
    'the application felt',
    `  errors caused by this deployment  ${paint(errorsCaused === null ? 'not measured' : count(errorsCaused))}`,
    `  longest lock held or waited for   ${longestLockMs === null ? style.dim('not measured') : duration(longestLockMs)}`,
    ...(felt === undefined || felt === null ? [] : besideLines(felt, style)),
  ];
}

/** What was measured while rows were rewritten, each with who measured it. */
function besideLines(felt: Felt, style: Style): string[] {
  const unknown = style.dim('not measured');
  const { p99AloneMs, p99BesideMs, measuredMs, by } = felt;
  const p99 =
    p99AloneMs === null || p99BesideMs === null
      ? unknown
      : `${milliseconds(p99AloneMs)} → ${milliseconds(p99BesideMs)}, by ${by ?? ''} over ${duration(measuredMs)}`;
  const counted = (value: number | null, note: string): string =>
    value === null ? unknown : `${count(value)}${value === 0 ? '' : note}`;
  return [
    '  while rows were rewritten',
    `    p99 without us → beside us      ${p99}`,
    `    longest statement of the probe  ${felt.longestMs === null ? unknown : milliseconds(felt.longestMs)}`,
    `    errors of the application       ${counted(felt.errors, ', whose they are is not known')}`,
    `    sessions seen waiting for us    ${counted(felt.lockWaits, '')}`,
    `    deadlocks in the database       ${counted(felt.deadlocks, ', whose they are is not known')}`,
  ];
}

const milliseconds = (ms: number): string => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;

function approvalLines({ approvals }: Report): string[] {
  if (approvals.length === 0) return [];
  const rows = approvals.map(({ stage, by, at, reason }) => [`  ${moment(at)}`, stage, by, reason]);
  return ['', 'approved', ...table(rows).map((line) => wrap(line, 4))];
}

function decisionLines({ decisions }: Report, style: Style): string[] {
  if (decisions.length === 0) return [];
  const kindWidth = Math.max(...decisions.map(({ kind }) => kind.length));
  const lines = decisions.map(({ at, kind, stage, text }) => {
    const head = `  ${moment(at)}  ${padEnd(kind, kindWidth)}  `;
    return wrap(`${head}${stage === null ? '' : `${stage}: `}${text}`, head.length);
  });
  return ['', `decided and seen ${style.dim('(UTC)')}`, ...lines];
}
