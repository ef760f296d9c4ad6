import type { LiveProgress } from '../../contracts/events.ts';
import type { Finding } from '../../contracts/plan.ts';
import type { Progress, StageProgress, StageState, Status, WayBack } from '../../contracts/progress.ts';
import { ago, bar, count, duration, moment, percent, shortHash } from './format.ts';
import { renderFindings } from './plan.ts';
import type { Style } from './style.ts';
import { columns, padEnd, wrap } from './text.ts';
import { shadowLines } from './shadow.ts';
import { runningLines, trafficLines } from './traffic.ts';

/** What a rendering of a deployment needs to know besides its look. */
export interface Shown {
  readonly status: Status;
  readonly live: LiveProgress | null;
  /** Epoch ms. */
  readonly now: number;
}

/** All there is to say about a deployment: stages, the way back, what it waits for, what one can order. */
export function renderStatus(shown: Shown, temporal: string, style: Style): string {
  const { status, now } = shown;
  const { progress } = status;
  return [
    `${style.bold(status.id)} · ${phaseText(status, style)} · ${status.strategy} on ${status.target} · plan ${shortHash(status.planHash)}`,
    ...stageLines(shown, style),
    ...[...trafficLines(progress, now), ...runningLines(progress, now)].map((line) => wrap(line, 4)),
    ...shadowLines(progress.shadow ?? null).map((line) => wrap(`  ${line}`, 4)),
    ...needLines(status, style),
    ...renderFindings(findingsNow(progress), style),
    ...progress.approvals.map(
      ({ stage, actor, at, reason }) => `  approved ${stage}: ${actor.name}, ${moment(at)}: ${reason}`,
    ),
    ...(progress.outcome === null ? [wayBackLine(progress.wayBack, now)] : []),
    `  started by ${status.startedBy.name} ${ago(status.startedAt, now)}, changed ${ago(status.changedAt, now)}`,
    ...(status.possible.length === 0 ? [] : [`  orders: ${status.possible.join(', ')}`]),
    ...(temporal === '' ? [] : [style.dim(`  ${temporal}`)]),
  ].join('\n');
}

/** What an approver has to weigh: the evidence of the stage that waits; until there is any, what the preflight found. */
const findingsNow = ({ evidence, findings, outcome }: Progress): readonly Finding[] =>
  evidence === null || outcome !== null ? findings : evidence.findings;

/** One line a stage: its mark, name, measure and what it says of itself. */
export function stageLines(shown: Shown, style: Style): string[] {
  const { stages } = shown.status.progress;
  const width = Math.max(...stages.map(({ name }) => columns(name)));
  return stages.map((stage) => stageLine(stage, shown, width, style));
}

/** The line of one stage; `width` is that of the widest name. */
export function stageLine(stage: StageProgress, shown: Shown, width: number, style: Style): string {
  const waits = isWaiting(stage, shown);
  const head = ` ${waits ? '✋' : ` ${marks[stage.state]}`} ${padEnd(stage.name, width)}  ${padEnd(measure(stage, shown), 9)}  `;
  const line = wrap(`${head}${barOf(stage, shown)}${says(stage, shown).join(' · ')}`.trimEnd(), columns(head));
  return paint(stage.state, waits, style)(line);
}

/** Whom or what the deployment waits for, or why it is parked; no line when it needs nothing. */
export function needLines({ progress, paused, possible, id }: Status, style: Style): string[] {
  const lines: string[] = [];
  if (paused) lines.push(style.warn(`  paused · lakeshift resume ${id} --reason …`));
  if (progress.parked !== null) {
    const { code, detail } = progress.parked;
    lines.push(style.bad(wrap(`  needs attention: ${code} ${detail} · possible: ${possible.join(', ')}`, 4)));
  }
  if (progress.waitingFor !== null) lines.push(...waitingLines(progress.waitingFor, id, style));
  if (progress.outcome === null && progress.because !== null)
    lines.push(style.warn(wrap(`  going back: ${progress.because}`, 4)));
  if (progress.outcome !== null) lines.push(wrap(`  ${progress.outcome.phase}: ${progress.outcome.because}`, 4));
  return lines;
}

/** `going back: lossless`, `going back: loses 3 rows`… */
export function wayBackText({ verdict, rows }: WayBack): string {
  if (verdict === 'lossless') return 'going back: lossless';
  if (verdict === 'no') return 'going back: no longer';
  return `going back: loses ${rows === null ? 'rows, not counted' : `${count(rows)} ${rows === 1 ? 'row' : 'rows'}`}`;
}

const wayBackLine = (wayBack: WayBack, now: number): string =>
  wrap(`  ${wayBackText(wayBack)} (${wayBack.because}; looked ${ago(wayBack.lookedAt, now)})`, 4);

const phaseText = ({ phase }: Status, style: Style): string => {
  if (phase === 'deployed') return style.good(phase);
  return phase === 'needs-attention' || phase === 'refused' || phase === 'rolled-back'
    ? style.bad(phase)
    : style.bold(phase);
};

const marks: Readonly<Record<StageState, string>> = {
  pending: '·',
  running: '▸',
  done: '✓',
  undoing: '◂',
  undone: '↩',
  skipped: '–',
};

function paint(state: StageState, waits: boolean, style: Style): (text: string) => string {
  if (waits) return style.warn;
  if (state === 'pending' || state === 'skipped') return style.dim;
  return state === 'done' ? (text) => text.replace(marks.done, style.good(marks.done)) : (text) => text;
}

const isActive = ({ state }: StageProgress): boolean => state === 'running' || state === 'undoing';

function measure(stage: StageProgress, shown: Shown): string {
  if (!isActive(stage)) return endedAfter(stage);
  const deadline = deadlineOf(stage, shown.status);
  if (deadline !== null) return duration(Math.max(0, deadline - shown.now));
  const share = percentOf(stage, shown);
  if (share !== null) return `${share} %`;
  return stage.beganAt === null ? '' : duration(Math.max(0, shown.now - stage.beganAt));
}

const endedAfter = ({ beganAt, endedAt }: StageProgress): string =>
  beganAt === null || endedAt === null ? '' : duration(endedAt - beganAt);

/** How far a stage that goes over rows is, in whole percent; null for any other, and while it waits. */
function percentOf(stage: StageProgress, shown: Shown): number | null {
  if (isWaiting(stage, shown)) return null;
  const { rows, totalRows } = liveOf(stage, shown) ?? stage;
  return percent(rows, totalRows);
}

const isWaiting = ({ name }: StageProgress, { status }: Shown): boolean => status.progress.waitingFor?.stage === name;

/** What the stage says of itself each second, while it is at work. */
const liveOf = (stage: StageProgress, shown: Shown): LiveProgress | null =>
  shown.live?.stage === stage.name && !isWaiting(stage, shown) ? shown.live : null;

/** The deadline of a stage that waits for time, epoch ms; that of a batch of pods is the longest it may take. */
const deadlineOf = (stage: StageProgress, { phase, progress }: Status): number | null =>
  phase !== 'rolling' && progress.stages[progress.at]?.name === stage.name ? progress.deadline : null;

function says(stage: StageProgress, shown: Shown): string[] {
  const note = stage.note === null ? [] : [stage.note];
  if (!isActive(stage)) return note;
  const live = liveOf(stage, shown);
  const wayBack = stage.state === 'running' ? [wayBackText(shown.status.progress.wayBack)] : [];
  return [...(live === null ? note : pace(live)), ...wayBack];
}

/** What stands between the measure of an active stage and its words. */
function barOf(stage: StageProgress, shown: Shown): string {
  if (!isActive(stage)) return '';
  if (deadlineOf(stage, shown.status) !== null) return 'to go · ';
  const share = percentOf(stage, shown);
  return share === null ? '' : `${bar(share, 10)} `;
}

/** Rows, rows per second, time to go, and why it goes at this speed. */
const pace = ({ rows, totalRows, rate, secondsToGo, pace: why }: LiveProgress): string[] => [
  // a stage that goes over no rows only says what it waits for
  ...(rows === 0 && totalRows === null ? [] : [`${count(rows)} rows`]),
  ...(rate === null ? [] : [`${count(rate)}/s`]),
  ...(secondsToGo === null ? [] : [`${duration(Math.max(1, secondsToGo) * 1_000)} to go`]),
  why,
];

function waitingLines(
  { what, stage, detail }: NonNullable<Progress['waitingFor']>,
  id: string,
  style: Style,
): string[] {
  const line = style.warn(wrap(`  waiting for ${what} of ${stage}: ${detail}`, 4));
  return what === 'approval' ? [line, style.warn(`  lakeshift approve ${id} --stage ${stage} --reason …`)] : [line];
}
