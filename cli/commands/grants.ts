import { print } from '../context.ts';
import { renderGrants } from '../render/grants.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Register } from './register.ts';

interface GrantsOptions extends GlobalOptions {
  readonly table?: string;
  readonly role?: string;
}

/** `lakeshift grants TARGET`: the statements that give our role its rights; nothing is run. */
export const registerGrants: Register = (program, run) => {
  program
    .command('grants')
    .argument('<target>', 'a target of the configuration')
    .description('print the exact statements for a role of ours in a target; nothing is run')
    .option('--table <schema.table>', 'the table that is to be changed')
    .option('--role <name>', 'our role there; default: the one the service connects as, else lakeshift')
    .action((target: string, _options: unknown, command: { optsWithGlobals: () => GrantsOptions }) => {
      const { table, role, ...options } = command.optsWithGlobals();
      return run(options, async (context) => {
        const view = await context.client.grants(target, { table: table ?? null, role: role ?? null });
        print(context, view, () => renderGrants(view));
        return 'ok';
      });
    });
};
