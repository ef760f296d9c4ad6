import { readFile } from 'node:fs/promises';
import type { EjectView } from '../../contracts/api.ts';
import type { Plan, TablePlan } from '../../contracts/plan.ts';
import { ejectSql } from '../../decisions/guests/eject.ts';
import { ofTable } from '../../decisions/guests/of-table.ts';
import { nearest } from '../../decisions/nearest.ts';
import { type Context, print } from '../context.ts';
import { codeOf, Refused } from '../failure.ts';
import { findDeployment } from '../find-deployment.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Register } from './register.ts';

interface EjectOptions extends GlobalOptions {
  readonly finish?: boolean;
  readonly plan?: string;
  readonly stage?: string;
}

/** `lakeshift eject ID`: plain SQL for a half-done change whose service is gone; nothing is run. */
export const registerEject: Register = (program, run) => {
  program
    .command('eject')
    .argument('<deployment>', 'its id, the beginning of it, or its name (the latest); with --plan the whole id')
    .description('print plain SQL that takes a half-done change back by hand; nothing is run')
    .option('--finish', 'print what finishes it instead')
    .option('--plan <file>', 'without the service: what `plan --json` or `report --json` has printed')
    .option('--stage <stage>', 'with --plan: the stage at which it stood, if that is known')
    .action((text: string, _options: unknown, command: { optsWithGlobals: () => EjectOptions }) => {
      const { finish, plan, stage, ...options } = command.optsWithGlobals();
      const way = finish === true ? 'finish' : 'back';
      return run(options, async (context) => {
        const view = plan === undefined ? await asked(context, text, way, stage) : await made(text, way, plan, stage);
        print(context, view, () => view.sql.trimEnd());
        return 'ok';
      });
    });
};

async function asked(
  { client }: Context,
  text: string,
  way: EjectView['way'],
  stage: string | undefined,
): Promise<EjectView> {
  if (stage !== undefined) throw new Refused('the ledger knows the stage: --stage goes with --plan');
  const { status } = await findDeployment(client, text);
  return client.eject(status.id, way);
}

/** From a file alone. */
async function made(id: string, way: EjectView['way'], file: string, stage: string | undefined): Promise<EjectView> {
  const plan = await readPlan(file);
  const names = plan.stages.map(({ name }) => name);
  if (stage !== undefined && !names.includes(stage)) {
    const near = nearest(stage, names);
    const hint = near === null ? `it has ${names.join(', ')}` : `did you mean ${near}?`;
    throw new Refused(`this plan has no stage ${stage}; ${hint}`);
  }
  const at = stage ?? null;
  return { id, way, stage: at, sql: ejectSql({ plan, deployment: id, stage: at, way }) };
}

async function readPlan(file: string): Promise<TablePlan> {
  const text = await readFile(file === '-' ? '/dev/stdin' : file, 'utf8').catch((error: unknown) => {
    throw new Refused(`${file} can't be read (${codeOf(error) ?? 'unknown reason'})`);
  });
  const plan = planIn(parsed(text));
  if (plan === null) throw new Refused(`${file} holds no plan; write it with lakeshift report <id> --json`);
  const table = ofTable(plan);
  if (table === null) throw new Refused(`the plan in ${file} changes no table: there is no SQL for it`);
  return table;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A plan by itself, or in what `plan --json` and `report --json` print. */
function planIn(value: unknown): Plan | null {
  if (typeof value !== 'object' || value === null) return null;
  if ('plan' in value) return planIn(value.plan);
  // The service has written it: its format says how it is read.
  return 'format' in value && value.format === 1 && 'stages' in value ? (value as Plan) : null;
}
