import type { EjectView } from '../../contracts/api.ts';
import type { TablePlan } from '../../contracts/plan.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { ejectSql } from '../../decisions/guests/eject.ts';
import { runScript } from './run-sql.ts';
import { stageOf, type SqlWorld } from './sql-world.ts';
import { StageWalk } from './stage-walk.ts';

/** The deployment that is left half done. */
export const deployment = 'payments-cents-00000001';

/** What has been done when the service is gone, in the order of the stages. */
export const states = ['preflight', 'expand', 'backfill', 'cutover', 'grace'] as const;
export type State = (typeof states)[number];

/** Brings a deployment as far as its `state`, by the activities of a worker; a backfill only a few pages far. */
export async function reach(world: SqlWorld, state: State, spec: TableSpec): Promise<TablePlan> {
  const plan = await world.plan(spec);
  await world.run('claim', { site: world.site(deployment), plan });
  const upTo = states.indexOf(state);
  if (upTo >= 1)
    await world.run('alter', { site: world.site(), stage: 'expand', alteration: stageOf(plan, 'expand').perform });
  if (upTo >= 2) {
    const half = { ...stageOf(plan, 'backfill'), sliceMs: upTo === 2 ? 1 : 60_000, superPages: upTo === 2 ? 4 : 1_024 };
    await world.run('backfill', { site: world.site(), stage: half, rows: null });
  }
  if (upTo >= 3) await new StageWalk(world, plan).build('perform');
  if (upTo >= 3)
    await world.run('alter', { site: world.site(), stage: 'cutover', alteration: stageOf(plan, 'cutover').perform });
  const { performLong = [] } = stageOf(plan, 'cutover');
  if (upTo >= 4) await world.run('alterLong', { site: world.site(), statements: performLong });
  if (upTo >= 4) await world.run('holdColumnsOnly', { site: world.site(), columnsOnly: true });
  return plan;
}

/** The script that a person is given. */
export const eject = (plan: TablePlan, way: EjectView['way'], stage: string | null = null): string =>
  ejectSql({ plan, deployment, stage, way });

/** What an undisturbed deployment does. */
export async function deploy(world: SqlWorld, spec: TableSpec): Promise<void> {
  const plan = await reach(world, 'grace', spec);
  const { perform, performLong = [] } = stageOf(plan, 'contract');
  await world.run('alter', { site: world.site(), stage: 'contract', alteration: perform });
  await world.run('alterLong', { site: world.site(), statements: performLong });
  await world.run('release', { site: world.site() });
}

/** Runs a script as its reader does: what it says has to be made outside of a transaction is made, and it is run again. */
export async function byHand(world: SqlWorld, script: string): Promise<void> {
  for (;;) {
    try {
      await runScript(world.superuser, script);
      return;
    } catch (error) {
      const [, create] = /then this script again: (CREATE [^]*INDEX [^]*)$/.exec((error as Error).message) ?? [];
      if (create === undefined) throw error;
      await world.superuser.query(create);
    }
  }
}
