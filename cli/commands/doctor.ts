import { print } from '../context.ts';
import { renderDiagnosis } from '../render/diagnosis.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Register } from './register.ts';

/** `lakeshift doctor`: everything that is wrong with the installation, together. */
export const registerDoctor: Register = (program, run) => {
  program
    .command('doctor')
    .description('check configuration, API, Temporal, search attributes, and a worker for each target')
    .action((_options: unknown, command: { optsWithGlobals: () => GlobalOptions }) =>
      run(command.optsWithGlobals(), async (context) => {
        // Loaded only here: it brings the Temporal client, which the other commands start faster without.
        const { diagnose } = await import('../diagnose.ts');
        const findings = await diagnose(context.client, context.env);
        print(context, { findings }, () => renderDiagnosis(findings, context.style));
        return findings.some(({ state }) => state === 'bad') ? 'failed' : 'ok';
      }),
    );
};
