import { print } from '../context.ts';
import { findDeployment } from '../find-deployment.ts';
import { renderStatus } from '../render/status.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Register } from './register.ts';

/** `lakeshift show ID`: where a deployment is. */
export const registerShow: Register = (program, run) => {
  program
    .command('show')
    .argument('<deployment>', 'its id, the beginning of it, or its name (the latest)')
    .description('show where a deployment is, whether one can go back, and what it waits for')
    .action((text: string, _options: unknown, command: { optsWithGlobals: () => GlobalOptions }) =>
      run(command.optsWithGlobals(), async (context) => {
        const view = await findDeployment(context.client, text);
        const shown = { status: view.status, live: view.live, now: context.now() };
        print(context, view, () => renderStatus(shown, view.links.temporal, context.style));
        return 'ok';
      }),
    );
};
