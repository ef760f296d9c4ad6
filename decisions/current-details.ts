import type { Plan } from '../contracts/plan.ts';
import type { StageProgress, StageState, Status } from '../contracts/progress.ts';
import { breakerWords, openOnes } from './breakers.ts';

/** The plan as a checklist in Markdown, for the Temporal UI. */
export function currentDetails(plan: Plan, status: Status): string {
  const { progress } = status;
  const now = [
    `**${status.phase}** · ${plan.strategy} on ${plan.target} · plan \`${plan.hash.slice(0, 12)}\``,
    `going back: **${progress.wayBack.verdict}** (${progress.wayBack.because})`,
    progress.because === null ? null : `because: ${progress.because}`,
    progress.parked === null ? null : `needs attention: \`${progress.parked.code}\` ${progress.parked.detail}`,
    busyWords(progress),
    progress.waitingFor === null ? null : `waits for ${progress.waitingFor.what}: ${progress.waitingFor.detail}`,
    ...awayWords(progress),
    progress.deadline === null ? null : `until ${new Date(progress.deadline).toISOString()}`,
    status.possible.length === 0 ? null : `possible: ${status.possible.join(', ')}`,
  ].filter((line) => line !== null);
  const stages = plan.stages.map((stage, index) => line(stage.title, stage.undoTitle, progress.stages[index]));
  return `${now.join('  \n')}\n\n${stages.join('\n')}\n`;
}

const busyWords = ({ busy }: Status['progress']): string | null =>
  busy === null || busy === undefined ? null : `tries again: \`${busy.code}\` ${busy.detail}`;

/** What it waits for besides people: dependencies that are away, queries that still run. */
const awayWords = ({ breakers = [], running }: Status['progress']): readonly string[] => [
  ...openOnes(breakers).map((breaker) => `dependency ${breakerWords(breaker)}`),
  ...(running === undefined || running === null ? [] : [running.because]),
];

function line(title: string, undoTitle: string | null, stage: StageProgress | undefined): string {
  if (stage === undefined) return `- [ ] ${title}`;
  const mark = stage.state === 'done' || stage.state === 'skipped' ? 'x' : ' ';
  const rows =
    stage.rows === null ? '' : ` · ${stage.rows}${stage.totalRows === null ? '' : ` of ${stage.totalRows}`} rows`;
  const note = stage.note === null ? '' : ` · ${stage.note}`;
  const noReturn = undoTitle === null ? ' · point of no return' : '';
  return `- [${mark}] **${stage.name}** ${title}${words[stage.state]}${rows}${note}${noReturn}`;
}

const words: Readonly<Record<StageState, string>> = {
  pending: '',
  running: ' · running',
  done: '',
  undoing: ' · being taken back',
  undone: ' · taken back',
  skipped: ' · nothing to do',
};
