import { print } from '../context.ts';
import { renderTargets } from '../render/list.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Register } from './register.ts';

/** `lakeshift targets`: the databases that specs may name. */
export const registerTargets: Register = (program, run) => {
  program
    .command('targets')
    .description('list the targets that specs may name')
    .action((_options: unknown, command: { optsWithGlobals: () => GlobalOptions }) =>
      run(command.optsWithGlobals(), async (context) => {
        const targets = await context.client.targets();
        print(context, { targets }, () => renderTargets(targets, context.style));
        return 'ok';
      }),
    );
};
