import type { PlacedProblem, ProblemAnswer } from '../failure.ts';
import type { Style } from './style.ts';
import { columns, padEnd, wrap } from './text.ts';

/** A problem as one clear error: what was refused, every pointer with its reason, and what would be possible. */
export function renderProblem(problem: ProblemAnswer, style: Style): string {
  const errors = problem.errors ?? [];
  const width = Math.min(60, Math.max(0, ...errors.map((error) => columns(placeOf(error)))));
  const fields = errors.map((error) => {
    const { detail, didYouMean } = error;
    const head = `  ${padEnd(placeOf(error), width)}  `;
    return wrap(
      `${head}${detail}${didYouMean === undefined || detail.includes(didYouMean) ? '' : ` Did you mean ${didYouMean}?`}`,
      columns(head),
    );
  });
  return [
    wrap(`${style.bad(problem.code)} ${problem.detail === '' ? problem.title : problem.detail}`, 2),
    ...fields,
    ...(problem.holder === undefined ? [] : [`  held by ${problem.holder}`]),
    ...possibleLine(problem),
    ...(problem.instance === '' ? [] : [style.dim(`  request ${problem.instance}`)]),
  ].join('\n');
}

function placeOf({ file, line, pointer }: PlacedProblem): string {
  if (file === undefined) return pointer === '' ? '(whole)' : pointer;
  return `${file}:${line ?? 1}${pointer === '' ? '' : ` ${pointer}`}`;
}

/** Not said twice: the detail of a refused order often names them already. */
function possibleLine({ possible, detail }: ProblemAnswer): string[] {
  if (possible === undefined || detail.includes('possible:')) return [];
  return [`  possible now: ${possible.length === 0 ? 'nothing' : possible.join(', ')}`];
}
