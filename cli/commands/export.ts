import { existsSync } from 'node:fs';
import { exportForms, type ExportForm } from '../../contracts/catalog.ts';
import type { Plan, TablePlan } from '../../contracts/plan.ts';
import { exportFile } from '../../decisions/guests/export.ts';
import { ofTable } from '../../decisions/guests/of-table.ts';
import { nearest } from '../../decisions/nearest.ts';
import { type Context, print } from '../context.ts';
import { Refused } from '../failure.ts';
import { findDeployment } from '../find-deployment.ts';
import { readSpec } from '../read-spec.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Register } from './register.ts';

/** `lakeshift export ID --form flyway`: the finished change as a migration of another tool. */
export const registerExport: Register = (program, run) => {
  program
    .command('export')
    .argument('<deployment>', 'its id, the beginning of it, or its name (the latest); or the file of a spec')
    .description(
      'print the finished change as a migration of another tool, which does nothing where it is made already',
    )
    .requiredOption('--form <form>', `one of ${exportForms.join(', ')}`)
    .action((text: string, _options: unknown, command: { optsWithGlobals: () => GlobalOptions & { form: string } }) => {
      const { form, ...options } = command.optsWithGlobals();
      return run(options, async (context) => {
        const known = formOf(form);
        const file = exportFile(await planOf(context, text), known, context.now());
        print(context, { form: known, ...file }, () => file.text.trimEnd());
        if (!context.json) context.err(`save it as ${file.path}; ${file.how}\n`);
        return 'ok';
      });
    });
};

function formOf(text: string): ExportForm {
  const form = exportForms.find((name) => name === text);
  if (form !== undefined) return form;
  const near = nearest(text, exportForms);
  throw new Refused(
    `there is no form ${text}; ${near === null ? `there are ${exportForms.join(', ')}` : `did you mean ${near}?`}`,
  );
}

async function planOf(context: Context, text: string): Promise<TablePlan> {
  const plan = ofTable(await found(context, text));
  if (plan === null) throw new Refused(`${text} changes no table: there is no SQL for it`);
  return plan;
}

async function found({ client }: Context, text: string): Promise<Plan> {
  if (text === '-' || existsSync(text)) return client.plan(await readSpec(text));
  const { status } = await findDeployment(client, text);
  return (await client.report(status.id)).plan;
}
