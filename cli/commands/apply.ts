import type { ApplyResult } from '../../contracts/api.ts';
import { failures } from '../../contracts/failures.ts';
import { type Context, print } from '../context.ts';
import type { ExitName } from '../exit-codes.ts';
import { ApiProblem, type PlacedProblem, type ProblemAnswer } from '../failure.ts';
import { renderApplied } from '../render/apply.ts';
import type { GlobalOptions } from '../settings.ts';
import { readSpecFiles, type FiledSpec } from '../spec-files.ts';
import { repeated } from './options.ts';
import type { Register } from './register.ts';

interface ApplyOptions extends GlobalOptions {
  readonly file: readonly string[];
  readonly dryRun?: boolean;
  readonly again?: boolean;
}

/** What became of one spec, and where it stands. */
export type FiledResult = ApplyResult & { readonly file: string };

/** `lakeshift apply -f DIR`: starts what is new of the specs in a repository. */
export const registerApply: Register = (program, run) => {
  program
    .command('apply')
    .requiredOption('-f, --file <path>', 'a file or a folder of specs; - is standard input; may be repeated', repeated)
    .description('start what is new of many specs, do nothing for what is unchanged; all or nothing is refused')
    .option('--dry-run', 'say what would be done; nothing is started')
    .option('--again', 'also start what was rolled back or refused before, though its spec has not changed')
    .action((_options: unknown, command: { optsWithGlobals: () => ApplyOptions }) => {
      const options = command.optsWithGlobals();
      return run(options, (context) => apply(context, options));
    });
};

async function apply(context: Context, { file, dryRun = false, again = false }: ApplyOptions): Promise<ExitName> {
  const { specs, problems } = await readSpecFiles(file);
  // With a file that can't be read nothing is started; what is wrong with the others is said all the same.
  const ask = { specs: specs.map(({ value }) => value), dryRun: dryRun || problems.length > 0, again };
  const answer = specs.length === 0 ? { results: [] } : await context.client.apply(ask).catch(placed(specs, problems));
  if (problems.length > 0) throw new ApiProblem(unread(problems));
  const results = answer.results.map((result, index) => ({ file: specs[index]?.file ?? '', ...result }));
  print(context, { results }, () => renderApplied(results, context.style));
  return worstOf(results);
}

/** Gives each problem of the service its file and line, and puts them behind those that we found ourselves. */
const placed =
  (specs: readonly FiledSpec[], own: readonly PlacedProblem[]) =>
  (error: unknown): never => {
    if (!(error instanceof ApiProblem)) throw own.length === 0 ? error : new ApiProblem(unread(own));
    const { problem } = error;
    const errors = (problem.errors ?? []).map((one) => place(specs, one));
    const findings = problem.findings?.map((finding) => {
      const { file = '', pointer } = place(specs, { pointer: '', ...finding });
      return { ...finding, pointer, detail: `${file}: ${finding.detail}` };
    });
    throw new ApiProblem({
      ...problem,
      errors: [...own, ...errors],
      ...(findings === undefined ? {} : { findings }),
    });
  };

/** A problem at `/specs/3/changes/0/up` is one at `/changes/0/up` of some file. */
function place(specs: readonly FiledSpec[], problem: PlacedProblem): PlacedProblem {
  const [, index, rest = ''] = /^\/specs\/(\d+)(\/.*)?$/s.exec(problem.pointer) ?? [];
  const spec = index === undefined ? undefined : specs[Number(index)];
  if (spec === undefined) return problem;
  const detail = problem.detail.replace(
    /\/specs\/(\d+)/,
    (whole, other: string) => specs[Number(other)]?.file ?? whole,
  );
  return { ...problem, file: spec.file, line: spec.lineOf(rest), pointer: rest, detail };
}

const unread = (errors: readonly PlacedProblem[]): ProblemAnswer => ({
  type: '/problems/SPEC_INVALID',
  title: failures.SPEC_INVALID.title,
  status: failures.SPEC_INVALID.status,
  code: 'SPEC_INVALID',
  detail: 'not every file can be read; nothing was started',
  instance: '',
  errors,
});

/** Exits from the worst on; an end under the same spec counts as it would for `deploy`. */
function worstOf(results: readonly ApplyResult[]): ExitName {
  if (results.some(({ phase }) => phase === 'refused')) return 'refused';
  if (results.some(({ phase }) => phase === 'rolled-back')) return 'rolledBack';
  return results.some(({ action }) => action === 'later') ? 'waiting' : 'ok';
}
