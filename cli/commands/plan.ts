import type { Plan } from '../../contracts/plan.ts';
import { type Context, print } from '../context.ts';
import type { ExitName } from '../exit-codes.ts';
import { Refused } from '../failure.ts';
import { readSpec } from '../read-spec.ts';
import { renderPlanSql } from '../render/plan-sql.ts';
import { renderPlan } from '../render/plan.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Register } from './register.ts';

interface PlanOptions extends GlobalOptions {
  readonly sql?: boolean;
  readonly markdown?: boolean;
}

/** `lakeshift plan FILE`: what would be done; nothing is started. */
export const registerPlan: Register = (program, run) => {
  program
    .command('plan')
    .argument('<file>', 'the spec, YAML or JSON; - is standard input')
    .description('show what a spec would do: stages, estimates, undo, risk; nothing is started')
    .option('--sql', 'print every statement that would run instead')
    .option('--markdown', 'print it as Markdown, for a comment or a summary')
    .action((file: string, _options: unknown, command: { optsWithGlobals: () => PlanOptions }) => {
      const options = command.optsWithGlobals();
      return run(options, (context) => (options.markdown === true ? markdown : plan)(context, file, options));
    });
};

async function plan(context: Context, file: string, { sql }: PlanOptions): Promise<ExitName> {
  const plan = await context.client.plan(await readSpec(file));
  const isRefused = plan.findings.some(({ level }) => level === 'refused');
  print(context, { plan }, () => {
    if (sql === true) return renderPlanSql(plan);
    const shown = renderPlan(plan, context.style);
    return isRefused ? shown : `${shown}\n${howToStart(file, plan)}`;
  });
  return isRefused ? 'refused' : 'ok';
}

/** The service writes it, so that whoever asks without this program reads the same. */
async function markdown(context: Context, file: string, { sql, json }: PlanOptions): Promise<ExitName> {
  if (sql === true || json === true) throw new Refused('--markdown is a form of its own: leave out --sql and --json');
  context.out(await context.client.planMarkdown(await readSpec(file)));
  return 'ok';
}

/** The whole hash, in the command that takes it; on a line of its own, so that it can be copied. */
const howToStart = (file: string, { hash }: Plan): string =>
  `to start this very plan within the hour:\n  lakeshift deploy ${file} --plan ${hash}`;
