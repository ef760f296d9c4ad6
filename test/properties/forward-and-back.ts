import type { BuildStage, TablePlan } from '../../contracts/plan.ts';
import { stageOf } from '../support/sql-world.ts';
import {
  alter,
  backfill,
  buildStep,
  check,
  claim,
  gate,
  holdColumns,
  long,
  orPark,
  raise,
  release,
  type Step,
} from './steps.ts';

/** Every step to the end of the contract. */
export function stepsForward(plan: TablePlan): readonly Step[] {
  return [...beforeBuild, ...(buildOf(plan)?.steps ?? []).map(buildStep), ...afterBuild];
}

/** What takes back the stages that were begun, latest first. Null: the table was not even claimed. */
export function stepsBack(plan: TablePlan, begun: ReadonlySet<string> | null): Step[] {
  return [...(begun === null ? [claim] : undo(plan, begun)), release('rolled back')];
}

function undo(plan: TablePlan, begun: ReadonlySet<string>): readonly Step[] {
  const expand = stageOf(plan, 'expand');
  const built = buildOf(plan);
  return [
    ...(begun.has('cutover')
      ? [
          raise('undo cutover'),
          holdColumns(false, 'widen before the undo'),
          ...stageOf(plan, 'cutover').undo.map((alteration) => alter('undo cutover', 'cutover', () => alteration)),
        ]
      : []),
    ...(built !== undefined && begun.has('build')
      ? [raise('undo build'), ...built.undo.map((alteration) => alter('undo build', 'build', () => alteration))]
      : []),
    ...(begun.has('expand')
      ? [
          raise('undo expand'),
          ...expand.undo.map((alteration) => alter('undo expand', 'expand', () => alteration)),
          long('undo expand: long', () => expand.undoLong),
        ]
      : []),
  ];
}

function buildOf(plan: TablePlan): BuildStage | undefined {
  return plan.stages.find((stage): stage is BuildStage => stage.kind === 'build');
}

const beforeBuild: readonly Step[] = [
  claim,
  check('preflight', (plan) => stageOf(plan, 'preflight').everyRow, orPark),
  alter('expand', 'expand', (plan) => stageOf(plan, 'expand').perform),
  backfill,
];
const afterBuild: readonly Step[] = [
  check('verify', (plan) => stageOf(plan, 'verify').check, orPark),
  gate,
  alter('cutover', 'cutover', (plan) => stageOf(plan, 'cutover').perform),
  long('cutover: long', (plan) => stageOf(plan, 'cutover').performLong ?? []),
  holdColumns(true, 'narrow'),
  check('grace', (plan) => stageOf(plan, 'grace').check, orPark),
  check('before the contract', (plan) => stageOf(plan, 'contract').check, orPark),
  holdColumns(false, 'widen'),
  alter('contract', 'contract', (plan) => stageOf(plan, 'contract').perform),
  long('contract: long', (plan) => stageOf(plan, 'contract').performLong ?? []),
  release('deployed'),
];
