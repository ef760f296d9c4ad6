import { findDeployment } from '../find-deployment.ts';
import { checkPlace } from '../outcome.ts';
import type { GlobalOptions } from '../settings.ts';
import { stayWith } from '../stay.ts';
import { durationOption } from './options.ts';
import type { Register } from './register.ts';

interface WatchOptions extends GlobalOptions {
  readonly until?: string;
  readonly timeout?: number;
}

/** `lakeshift watch ID`: shows a deployment while it goes on; its exit is how it ended. */
export const registerWatch: Register = (program, run) => {
  program
    .command('watch')
    .argument('<deployment>', 'its id, the beginning of it, or its name (the latest)')
    .description('show a deployment while it goes on; with --json one event a line')
    .option('--until <place>', 'stop when it has reached a stage or a phase, or needs a person')
    .option('--timeout <duration>', 'stop after this long (90s, 2h); the deployment goes on', durationOption)
    .action((text: string, _options: unknown, command: { optsWithGlobals: () => WatchOptions }) => {
      const { until, timeout, ...options } = command.optsWithGlobals();
      return run(options, async (context) => {
        const { status } = await findDeployment(context.client, text);
        if (until !== undefined) checkPlace(status, until);
        if (!context.json) context.out(`${context.style.bold(status.id)} · ${status.strategy} on ${status.target}\n`);
        const patience =
          until === undefined ? ({ kind: 'end' } as const) : ({ kind: 'reached', place: until } as const);
        return stayWith(context, status.id, { patience, watch: true, timeoutMs: timeout ?? null });
      });
    });
};
