import type { ApprovalNeed } from '../../contracts/approval-need.ts';
import type { TableFacts } from '../../contracts/facts.ts';
import type { Finding, Plan, Stage } from '../../contracts/plan.ts';
import { bytes, duration, shortHash, some } from './format.ts';
import type { Style } from './style.ts';
import { columns, padEnd, wrap } from './text.ts';
import { releaseWords } from './traffic.ts';

/** A plan as one table: stage, who must approve, how long, what, and how it is undone; then its risk and findings. */
export function renderPlan(plan: Plan, style: Style): string {
  const rows = plan.stages.map((stage) => stageRow(plan, stage));
  const nameWidth = Math.max(...rows.map(({ name }) => columns(name)));
  const whenWidth = Math.max(...rows.map(({ when }) => columns(when)));
  const lines = rows.map(({ name, approval, when, what, last }) => {
    const head = `  ${padEnd(name, nameWidth)}  ${padEnd(approval ? '✋' : '', 2)} ${padEnd(when, whenWidth)}  `;
    const text = wrap(`${head}${what}`, columns(head));
    return last ? `${text}  ${style.warn('◀ point of no return')}` : text;
  });
  return [title(plan, style), ...lines, ...riskLines(plan, style)].join('\n');
}

/** Findings, the worst first, a line each, with counts and keys where there are any. */
export function renderFindings(findings: readonly Finding[], style: Style): string[] {
  const weight = { refused: 0, warned: 1, unknown: 2, noted: 3 } as const;
  const paint = { refused: style.bad, warned: style.warn, unknown: style.warn, noted: style.dim } as const;
  return findings
    .toSorted((a, b) => weight[a.level] - weight[b.level])
    .map((finding) => {
      const text = wrap(`  ${padEnd(finding.level, 8)} ${finding.detail}${whichRows(finding)}`, 11);
      return text.replace(finding.level, paint[finding.level](finding.level));
    });
}

const title = (plan: Plan, style: Style): string =>
  `${style.bold(plan.name)} · ${plan.strategy} on ${plan.target} · plan ${shortHash(plan.hash)}`;

interface StageRow {
  readonly name: string;
  readonly approval: boolean;
  readonly when: string;
  readonly what: string;
  readonly last: boolean;
}

function stageRow(plan: Plan, stage: Stage): StageRow {
  const estimate = estimateOf(stage);
  const undo = stage.undoTitle === null ? [] : [`undo: ${stage.undoTitle}`];
  const approval = stage.approve === null ? [] : approvalNotes(stage.approve, estimate);
  return {
    name: stage.name,
    approval: stage.approve !== null,
    when: stage.approve === null ? estimate : approver(stage.approve),
    what: [...whatOf(plan, stage), ...approval, ...undo].filter((part) => part !== '').join(' · '),
    last: stage.name === plan.risk.pointOfNoReturn,
  };
}

function estimateOf(stage: Stage): string {
  // as long as the plan says, and not as long as it may take
  if ('forMs' in stage) return stage.forMs === 0 ? '' : duration(stage.forMs);
  return stage.estimateMs === null ? '' : `~${duration(stage.estimateMs)}`;
}

function whatOf(plan: Plan, stage: Stage): readonly string[] {
  const part = plan.dialect === 'several' ? plan.parts[stage.part ?? 0] : plan;
  if (stage.kind !== 'preflight' || part?.dialect !== 'postgres') return [bareTitle(stage), ...releaseWords(stage)];
  return tableWords(part.facts);
}

function tableWords(facts: TableFacts): readonly string[] {
  const size = [
    facts.rows === null ? 'rows not counted' : some(facts.rows, 'row'),
    facts.bytes === null ? '' : bytes(facts.bytes),
  ];
  const key = facts.key.length === 0 ? 'no key' : `key ${facts.key.map(({ name }) => name).join(', ')}`;
  const around = [
    some(facts.indexes, 'index', 'indexes'),
    some(facts.views.length, 'view'),
    some(facts.triggers.length, 'trigger'),
  ];
  return [size.filter((part) => part !== '').join(', '), key, around.join(', ')];
}

/** Its time and its bounds stand beside it. */
const bareTitle = ({ kind, title }: Stage): string =>
  kind === 'shift' ? title.replace(/;.*$/, '').replace(/,? (?:watched )?for [0-9a-z]+$/, '') : title;

const approver = ({ group, count: people }: ApprovalNeed): string =>
  `${people > 1 ? `${people} × ` : ''}${group ?? 'approver'}`;

const approvalNotes = ({ notByAuthor }: ApprovalNeed, estimate: string): readonly string[] => [
  ...(notByAuthor ? ['not by who started it'] : []),
  ...(estimate === '' ? [] : [estimate]),
];

function riskLines(plan: Plan, style: Style): string[] {
  const refused = plan.findings.filter(({ level }) => level === 'refused').length;
  const verdict =
    refused === 0
      ? style.good('nothing blocks it')
      : style.bad(`${some(refused, 'finding')} ${refused === 1 ? 'blocks' : 'block'} it`);
  const changes = plan.changes.map(
    (change) =>
      `${change.class === 'unsafe' ? 'unsafe change made safe' : 'safe change'} (${change.change}: ${change.because})`,
  );
  const because =
    plan.risk.because.length === 0 ? plan.risk.level : `${plan.risk.level} (${plan.risk.because.join('; ')})`;
  return [wrap(`risk: ${[because, ...changes, verdict].join(' · ')}`, 6), ...renderFindings(plan.findings, style)];
}

function whichRows({ count: rows, keys }: Finding): string {
  const many = rows === undefined ? '' : ` (${some(rows, 'row')})`;
  return keys === undefined || keys.length === 0
    ? many
    : `${many}, keys ${keys.join(', ')}${rows === undefined || rows <= keys.length ? '' : ' …'}`;
}
