import { InvalidArgumentError, type Command } from 'commander';
import { type Context, print } from '../context.ts';
import type { ExitName } from '../exit-codes.ts';
import type { LedgerWork } from '../ledger/with-ledger.ts';
import { renderMoves, renderRebuilt, renderRows } from '../render/ledger.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Register, Run } from './register.ts';

/** `lakeshift ledger …`: what is done with the ledger itself, where the configuration is and not by the API. */
export const registerLedger: Register = (program, run) => {
  const ledger = program
    .command('ledger')
    .description('back up, restore, rebuild or migrate the ledger; needs its configuration, not the API');
  for (const register of [registerBackup, registerRestore, registerRebuild, registerMigrate]) register(ledger, run);
};

type Subcommand = (ledger: Command, run: Run) => void;
interface Self<T> {
  readonly optsWithGlobals: () => GlobalOptions & T;
}

/** Loaded only here, as for `doctor`: other commands start faster without the clients of PostgreSQL and Temporal. */
async function onLedger<T>(context: Context, work: (tools: LedgerWork) => Promise<T>): Promise<T> {
  const { withLedger } = await import('../ledger/with-ledger.ts');
  return withLedger(context.env, work);
}

const registerBackup: Subcommand = (ledger, run) => {
  ledger
    .command('backup')
    .argument('<file>', 'where to; lines of JSON')
    .description('write the whole ledger, as it is at one moment, to a file; the service may run')
    .action((file: string, _options: unknown, command: Self<object>) =>
      run(command.optsWithGlobals(), async (context) => {
        const [{ backupLedger }, { writeWhole }] = await Promise.all([
          import('../../ledger/index.ts'),
          import('../ledger/backup-file.ts'),
        ]);
        const rows = await onLedger(context, ({ ledger: from }) =>
          writeWhole(file, (write) => backupLedger(from, context.now(), write)),
        );
        print(context, { file, rows }, () => renderRows(`${file} has`, rows));
        return 'ok';
      }),
    );
};

const registerRestore: Subcommand = (ledger, run) => {
  ledger
    .command('restore')
    .argument('<file>', 'a file of `ledger backup`')
    .description('put a backup into an empty ledger')
    .option('--replace', 'also into one that is not empty: all that is there is deleted')
    .action((file: string, _options: unknown, command: Self<{ replace?: boolean }>) => {
      const options = command.optsWithGlobals();
      return run(options, async (context) => {
        const [{ restoreLedger }, { linesOf }] = await Promise.all([
          import('../../ledger/index.ts'),
          import('../ledger/backup-file.ts'),
        ]);
        const restored = await onLedger(context, ({ ledger: into }) =>
          restoreLedger(into, () => linesOf(file), options.replace === true),
        );
        print(context, restored, () => renderRows(`restored as of ${restored.madeAt}:`, restored.rows));
        return 'ok';
      });
    });
};

const registerRebuild: Subcommand = (ledger, run) => {
  ledger
    .command('rebuild')
    .description('write back what was lost of deployments that Temporal still has; may run at any time')
    .action((_options: unknown, command: Self<object>) => run(command.optsWithGlobals(), rebuild));
};

async function rebuild(context: Context): Promise<ExitName> {
  const { rebuildLedger } = await import('../ledger/rebuild.ts');
  const report = await onLedger(context, (tools) => rebuildLedger(tools, context.now));
  print(context, report, () => renderRebuilt(report, context.style));
  return report.unanswered.length === 0 ? 'ok' : 'failed';
}

const registerMigrate: Subcommand = (ledger, run) => {
  ledger
    .command('migrate')
    .description('bring the ledger to the form of this version, or of an older one before that is started')
    .option('--to <number>', 'the last migration that it shall have; lower than now: backwards', numberOption)
    .action((_options: unknown, command: Self<{ to?: number }>) => {
      const options = command.optsWithGlobals();
      return run(options, async (context) => {
        const { ledgerVersion, moveLedger } = await import('../../ledger/index.ts');
        const to = options.to ?? ledgerVersion() ?? 0;
        const moves = await onLedger(context, ({ ledger: moved }) => moveLedger(moved, to));
        print(context, { moves, version: to }, () => renderMoves(moves, to));
        return 'ok';
      });
    });
};

function numberOption(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('write the number of a migration, such as 2.');
  return Number(text);
}
