import type { ApplyResult } from '../../contracts/api.ts';
import type { Style } from './style.ts';
import { table } from './text.ts';

const words: Readonly<Record<ApplyResult['action'], string>> = {
  started: 'started',
  start: 'new',
  unchanged: 'unchanged',
  later: 'later',
};

/** What became of each spec, a line each. */
export function renderApplied(results: readonly (ApplyResult & { readonly file: string })[], style: Style): string {
  const paint = { started: style.good, start: style.good, unchanged: style.dim, later: style.warn } as const;
  const rows = results.map((one) => [one.file, one.name, words[one.action], moreOf(one)]);
  return table(rows)
    .map((line, index) => {
      const action = results[index]?.action ?? 'unchanged';
      return line.trimEnd().replace(`  ${words[action]}`, `  ${paint[action](words[action])}`);
    })
    .join('\n');
}

function moreOf({ action, deployment, phase, because }: ApplyResult): string {
  if (action === 'later') return `${because ?? 'its table is taken'}; apply again when that has ended`;
  if (action === 'start') return 'would be started';
  const where = [deployment, phase].filter((part) => part !== null).join(' · ');
  const came = phase !== 'rolled-back' && phase !== 'refused';
  return came || action === 'started' ? where : `${where} · change the spec, or --again, to start anew`;
}
