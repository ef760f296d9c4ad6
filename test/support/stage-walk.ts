import type { StageKind } from '../../contracts/catalog.ts';
import type { Alteration, TablePlan, Stage, Statement } from '../../contracts/plan.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import type { SqlWorld } from './sql-world.ts';

/** Carries a plan through its stages as the workflow does, one activity after another, and back. */
export class StageWalk {
  readonly plan: TablePlan;
  readonly #world: SqlWorld;

  constructor(world: SqlWorld, plan: TablePlan) {
    this.#world = world;
    this.plan = plan;
  }

  static async begin(world: SqlWorld, spec: TableSpec): Promise<StageWalk> {
    const plan = await world.plan(spec);
    await world.run('claim', { site: world.site(), plan });
    return new StageWalk(world, plan);
  }

  /** Performs every stage up to this one, and it too; only from `after` on when given. */
  async through(last: StageKind, after?: StageKind): Promise<void> {
    const kinds = this.plan.stages.map(({ kind }) => kind);
    const from = after === undefined ? 0 : kinds.indexOf(after) + 1;
    for (const stage of this.plan.stages.slice(from, kinds.indexOf(last) + 1)) await this.perform(stage);
  }

  /** Undoes this stage and all before it, latest first, and gives the table back. */
  async back(first: StageKind): Promise<void> {
    const kinds = this.plan.stages.map(({ kind }) => kind);
    for (const stage of this.plan.stages.slice(0, kinds.indexOf(first) + 1).reverse()) await this.undo(stage);
    await this.release();
  }

  /** Performs, or undoes, what hangs on columns that another one replaces; nothing where the plan has no such stage. */
  async build(way: 'perform' | 'undo'): Promise<void> {
    const stage = this.plan.stages.find(({ kind }) => kind === 'build');
    if (stage !== undefined) await this[way](stage);
  }

  async release(): Promise<void> {
    await this.#world.run('release', { site: this.#world.site() });
  }

  async perform(stage: Stage): Promise<void> {
    switch (stage.kind) {
      case 'expand':
      case 'cutover':
      case 'contract':
        await this.#alter(stage, stage.perform);
        await this.#long('performLong' in stage ? (stage.performLong ?? []) : []);
        break;
      case 'backfill':
        while (!(await this.#world.run('backfill', { site: this.#world.site(), stage, rows: null })).finished);
        break;
      case 'build':
        for (const step of stage.steps) {
          if (step.step === 'index')
            await this.#world.run('buildIndex', { site: this.#world.site(), stage: stage.name, index: step.index });
          else if (step.step === 'alter') await this.#alter(stage, step.alteration);
          else await this.#long(step.statements);
        }
        break;
      case 'verify':
      case 'grace':
        await this.#check(stage);
        break;
      case 'preflight':
      case 'roll':
      case 'candidate':
      case 'validate':
      case 'shadow':
      case 'shift':
      case 'keep':
      case 'drain':
      case 'retire':
      case 'scaling':
      case 'alias':
    }
  }

  async undo(stage: Stage): Promise<void> {
    if (stage.kind !== 'expand' && stage.kind !== 'cutover' && stage.kind !== 'build') return;
    await this.#world.run('raiseFence', { site: this.#world.site() });
    for (const alteration of stage.undo) await this.#alter(stage, alteration);
    if (stage.kind === 'expand') await this.#long(stage.undoLong);
  }

  async #alter({ name }: Stage, alteration: Alteration): Promise<void> {
    await this.#world.run('alter', { site: this.#world.site(), stage: name, alteration });
  }

  async #long(statements: readonly Statement[]): Promise<void> {
    if (statements.length > 0) await this.#world.run('alterLong', { site: this.#world.site(), statements });
  }

  async #check({ name, ...stage }: Extract<Stage, { kind: 'verify' | 'grace' }>): Promise<void> {
    if (stage.check === null) return;
    const site = this.#world.site();
    const input = { site, stage: name, check: stage.check, pass: String(site.turn), rows: null, sliceMs: 60_000 };
    const { wrong, keys } = await this.#world.run('checkRows', input);
    if (wrong > 0) throw new Error(`${wrong} rows differ in ${name}: ${keys.join(', ')}`);
  }
}
