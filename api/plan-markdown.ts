import type { ApprovalNeed } from '../contracts/approval-need.ts';
import type { Finding, Plan, Stage } from '../contracts/plan.ts';
import { formatDuration } from '../decisions/duration.ts';

/** Media type of a plan for people who review it where Markdown is read. */
export const markdownType = 'text/markdown';

/** Whether an `accept` header asks for Markdown. */
export const wantsMarkdown = (accept: string | undefined): boolean =>
  (accept ?? '').split(',').some((type) => type.split(';', 1)[0]?.trim().toLowerCase() === markdownType);

/**
 * A plan as Markdown, for comments and summaries of CI jobs: its stages, its risk, its findings. No SQL. Nothing that a
 * spec names can become a link, a mention, HTML or another row of the table.
 */
export function planMarkdown(plan: Plan): string {
  const { name, strategy, target, hash } = plan;
  return (
    [
      `### ${escaped(name)} · ${strategy} on ${escaped(target)}`,
      [
        '| stage | waits for | takes | what it does | undo |',
        '| --- | --- | --- | --- | --- |',
        ...stageRows(plan),
      ].join('\n'),
      riskText(plan),
      ...listOf(changeLines(plan)),
      ...listOf(findingLines(plan.findings)),
      `Plan \`${hash}\``,
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}

const stageRows = ({ stages, risk }: Plan): string[] =>
  stages.map((stage) => {
    const noReturn = stage.name === risk.pointOfNoReturn ? ' · **point of no return**' : '';
    const cells = [
      escaped(stage.name),
      stage.approve === null ? '' : approverOf(stage.approve),
      takes(stage),
      `${escaped([stage.title, ...failWords(stage), ...needWords(stage)].join('; '))}${noReturn}`,
      escaped(stage.undoTitle ?? ''),
    ];
    return `| ${cells.join(' | ')} |`;
  });

/** What a failed check of a share leads to. */
function failWords(stage: Stage): readonly string[] {
  if (stage.kind !== 'shift' || stage.gate === null) return [];
  const { onFail, weight } = stage;
  const blind = stage.gate.blind === 'rollback' ? ['without data all goes back'] : [];
  if (onFail === 'rollback') return ['else all goes back', ...blind];
  return [
    onFail === 'hold' ? `else it stays at ${weight} % for a person` : `else back to ${onFail.weight} % for a person`,
    ...blind,
  ];
}

/** What a share does not do without. */
const needWords = (stage: Stage): readonly string[] =>
  stage.kind !== 'shift' || stage.dependencies === undefined
    ? []
    : [`needs ${stage.dependencies.map(({ name }) => name).join(', ')}, else everything goes home until it is back`];

function approverOf({ group, count, notByAuthor }: ApprovalNeed): string {
  const who = group === null ? 'approver' : escaped(group);
  return `✋ ${count > 1 ? `${count} × ` : ''}${who}${notByAuthor ? ', not who started it' : ''}`;
}

function takes(stage: Stage): string {
  // as long as the plan says, and not as long as it may take
  if ('forMs' in stage) return stage.forMs === 0 ? '' : formatDuration(stage.forMs);
  return stage.estimateMs === null ? '' : `~${formatDuration(rounded(stage.estimateMs))}`;
}

/** An estimate in whole seconds from a second on, ms. */
const rounded = (ms: number): number => (ms < 1_000 ? Math.max(1, Math.round(ms)) : Math.round(ms / 1_000) * 1_000);

function riskText({ risk, estimate }: Plan): string {
  const rows = estimate.rows === null ? [] : [`${estimate.rows.toLocaleString('en-US')} rows`];
  const because = risk.because.length === 0 ? '' : ` (${escaped(risk.because.join('; '))})`;
  return [`**Risk ${risk.level}**${because}`, ...rows].join(' · ');
}

const changeLines = ({ changes }: Plan): string[] =>
  changes.map((change) => {
    const kind = change.class === 'unsafe' ? 'unsafe change made safe' : 'safe change';
    return `- ${kind}: ${escaped(change.change)}: ${escaped(change.because)}`;
  });

const findingLines = (findings: readonly Finding[]): string[] =>
  findings.map(({ level, code, detail }) => `- ${level} \`${code}\` ${escaped(detail)}`);

const listOf = (lines: readonly string[]): string[] => (lines.length === 0 ? [] : [lines.join('\n')]);

/** Text in which no character means anything to Markdown; an `@` mentions nobody, and a `#1` refers to nothing. */
const escaped = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*[<|~$]/g, '\\$&')
    // between letters it means nothing, and the names of columns stay readable
    .replaceAll(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    .replaceAll('&', '&amp;')
    // a word joiner, which nobody sees
    .replaceAll(/[@#](?=\w)|:(?=\/\/)|www(?=\.)/gi, '$&\u2060');
