import { print } from '../context.ts';
import { findDeployment } from '../find-deployment.ts';
import { renderReport } from '../render/report.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Register } from './register.ts';

/** `lakeshift report ID`: what happened, from the ledger alone. */
export const registerReport: Register = (program, run) => {
  program
    .command('report')
    .argument('<deployment>', 'its id, the beginning of it, or its name (the latest)')
    .description('print what happened: stages, decisions, evidence, approvals, what the application felt')
    .action((text: string, _options: unknown, command: { optsWithGlobals: () => GlobalOptions }) =>
      run(command.optsWithGlobals(), async (context) => {
        const { status } = await findDeployment(context.client, text);
        const report = await context.client.report(status.id);
        print(context, report, () => renderReport(report, context.style));
        return 'ok';
      }),
    );
};
