import type { Plan } from '../../contracts/plan.ts';
import { print } from '../context.ts';
import { readSpec } from '../read-spec.ts';
import { renderPlanSql } from '../render/plan-sql.ts';
import { renderPlan } from '../render/plan.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Register } from './register.ts';

/** `lakeshift plan FILE`: what would be done; nothing is started. */
export const registerPlan: Register = (program, run) => {
  program
    .command('plan')
    .argument('<file>', 'the spec, YAML or JSON; - is standard input')
    .description('show what a spec would do: stages, estimates, undo, risk; nothing is started')
    .option('--sql', 'print every statement that would run instead')
    .action(
      (file: string, _options: unknown, command: { optsWithGlobals: () => GlobalOptions & { sql?: boolean } }) => {
        const options = command.optsWithGlobals();
        return run(options, async (context) => {
          const plan = await context.client.plan(await readSpec(file));
          const isRefused = plan.findings.some(({ level }) => level === 'refused');
          print(context, { plan }, () => {
            if (options.sql === true) return renderPlanSql(plan);
            const shown = renderPlan(plan, context.style);
            return isRefused ? shown : `${shown}\n${howToStart(file, plan)}`;
          });
          return isRefused ? 'refused' : 'ok';
        });
      },
    );
};

/** The whole hash, in the command that takes it; on a line of its own, so that it can be copied. */
const howToStart = (file: string, { hash }: Plan): string =>
  `to start this very plan within the hour:\n  lakeshift deploy ${file} --plan ${hash}`;
