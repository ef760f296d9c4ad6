import { Command, CommanderError } from 'commander';
import { createClient } from './client.ts';
import { registerApply } from './commands/apply.ts';
import { registerDeploy } from './commands/deploy.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerEject } from './commands/eject.ts';
import { registerExport } from './commands/export.ts';
import { registerGrants } from './commands/grants.ts';
import { registerLedger } from './commands/ledger.ts';
import { registerList } from './commands/list.ts';
import { registerOrders } from './commands/order.ts';
import { registerPlan } from './commands/plan.ts';
import type { Register } from './commands/register.ts';
import { registerReport } from './commands/report.ts';
import { registerSchema } from './commands/schema.ts';
import { registerShow } from './commands/show.ts';
import { registerTargets } from './commands/targets.ts';
import { registerWatch } from './commands/watch.ts';
import type { Io, Work } from './context.ts';
import { type ExitName, exitCodes, exitCodeTable } from './exit-codes.ts';
import { ApiProblem, Refused, Unreachable } from './failure.ts';
import { renderFindings } from './render/plan.ts';
import { renderProblem } from './render/problem.ts';
import { coloured, plain, type Style } from './render/style.ts';
import { findAccess, type GlobalOptions } from './settings.ts';

const commands: readonly Register[] = [
  registerPlan,
  registerDeploy,
  registerApply,
  registerList,
  registerShow,
  registerWatch,
  registerReport,
  registerOrders,
  registerSchema,
  registerTargets,
  registerGrants,
  registerEject,
  registerExport,
  registerDoctor,
  registerLedger,
];

/** Runs one command line, without `node` and the script, and gives its exit code. Never throws. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let exit: ExitName = 'ok';
  const program = programFor(io, async (options, work) => {
    exit = await perform(options, work, io);
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.refused.code;
  }
  return exitCodes[exit].code;
}

function programFor(io: Io, run: (options: GlobalOptions, work: Work) => Promise<void>): Command {
  const program = new Command('lakeshift')
    .description('Carries out changes to data platforms without downtime and without losing a row.')
    .option('--api <address>', 'address of the service (LAKESHIFT_API; default: the one that runs here)')
    .option('--json', 'answer in JSON')
    .option('--actor <name>', 'your name, where the service asks for no token (LAKESHIFT_ACTOR)')
    .option('--groups <list>', 'your groups, where the service asks for no token (LAKESHIFT_GROUPS)')
    .addHelpText(
      'after',
      `\nThe token of a service that wants one is in LAKESHIFT_TOKEN.\n\nExit codes:\n${exitCodeTable()}`,
    )
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err });
  for (const register of commands) register(program, run);
  return program;
}

async function perform(options: GlobalOptions, work: Work, io: Io): Promise<ExitName> {
  const style = io.isTerminal && (io.env['NO_COLOR'] ?? '') === '' && options.json !== true ? coloured : plain;
  try {
    const client = createClient({ ...(await findAccess(options, io.env)), signal: io.signal });
    return await work({ ...io, client, json: options.json === true, style });
  } catch (error) {
    return explain(error, options.json === true, style, io);
  }
}

/** Says what went wrong: to programs as a document on standard output, to people on standard error. */
function explain(error: unknown, json: boolean, style: Style, io: Io): ExitName {
  const { exit, document, text } = explanation(error, style, io);
  if (json) io.out(`${JSON.stringify({ error: document }, null, 2)}\n`);
  else io.err(`${text}\n`);
  return exit;
}

interface Explanation {
  readonly exit: ExitName;
  readonly document: unknown;
  readonly text: string;
}

function explanation(error: unknown, style: Style, io: Io): Explanation {
  if (error instanceof ApiProblem) {
    const { problem } = error;
    const text = [renderProblem(problem, style), ...renderFindings(problem.findings ?? [], style)].join('\n');
    return { exit: error.exit, document: problem, text };
  }
  if (io.signal.aborted) {
    const detail = 'stopped; what was started goes on in the service';
    return { exit: 'interrupted', document: { code: 'INTERRUPTED', detail }, text: detail };
  }
  if (error instanceof Refused || error instanceof Unreachable) {
    const { code, message } = error;
    const exit = error instanceof Refused ? 'refused' : 'failed';
    return { exit, document: { code, detail: message }, text: style.bad(message) };
  }
  const detail = error instanceof Error ? error.message : 'unknown reason';
  return { exit: 'failed', document: { code: 'INTERNAL', detail }, text: style.bad(detail) };
}
