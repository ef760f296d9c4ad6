import type { CutoverStage, PartPlan, Risk, Stage } from '../../contracts/plan.ts';
import type { JointSpec, SimpleSpec } from '../../contracts/spec.ts';
import type { StageKind } from '../../contracts/catalog.ts';
import type { StagesAndRisk } from './strategy.ts';

/** Stages that need the new version in service: of tables they come last. */
const afterServices: ReadonlySet<StageKind> = new Set(['cutover', 'grace', 'contract']);
const levels: readonly Risk['level'][] = ['low', 'medium', 'high'];

/**
 * Each part as a spec of its own. That its consumers have moved is proved by the services of the same plan: the cutover
 * of a table needs nobody's word unless the spec asks for it.
 */
export const partSpecs = ({ name, tables, services }: JointSpec): readonly SimpleSpec[] => [
  ...tables.map((table) => ({
    ...table,
    name,
    strategy: 'expand-contract' as const,
    cutover: { approve: false, ...table.cutover },
  })),
  ...services.map((service) => ({ ...service, name, strategy: 'canary' as const })),
];

/**
 * The stages of several plans in one order: every new shape is there, filled and compared before any service is changed;
 * the services follow one after the other; then the new shapes lead, and the old ones go after their grace. Backwards it
 * is one order of undo: the traffic goes home first, the schema last.
 */
export function joined(plans: readonly PartPlan[]): StagesAndRisk {
  const all = plans.flatMap((plan, part) => plan.stages.map((stage) => inPart(plans, stage, part)));
  const [before, after] = [true, false].map((early) => all.filter(({ kind }) => afterServices.has(kind) !== early));
  const level = Math.max(...plans.map(({ risk }) => levels.indexOf(risk.level)));
  const sum = (of: (plan: PartPlan) => number | null): number | null =>
    plans.reduce<number | null>((total, plan) => {
      const one = of(plan);
      return one === null && total === null ? null : (total ?? 0) + (one ?? 0);
    }, null);
  return {
    stages: [...(before ?? []), ...(after ?? [])],
    changes: plans.flatMap(({ changes }) => changes),
    findings: plans.flatMap(({ findings }) => findings),
    risk: { level: levels[level] ?? 'high', because: [...new Set(plans.flatMap(({ risk }) => risk.because))] },
    estimate: {
      workMs: sum(({ estimate }) => estimate.workMs),
      graceMs: Math.max(...plans.map(({ estimate }) => estimate.graceMs)),
      rows: sum(({ estimate }) => estimate.rows),
    },
  };
}

/** A name is unique in a plan: where two parts have the same stage, it is called after its object too. */
function inPart(plans: readonly PartPlan[], stage: Stage, part: number): Stage {
  const twice = plans.some((plan, other) => other !== part && plan.stages.some(({ name }) => name === stage.name));
  const nameOf = (name: string): string => (twice ? `${name}-${calledAfter(plans[part])}` : name);
  const placed = { ...stage, name: nameOf(stage.name), part };
  if (placed.kind === 'cutover') return waited(placed, plans[part]?.stages ?? []);
  if (placed.kind !== 'verify' || placed.retryFrom === undefined) return placed;
  return { ...placed, retryFrom: nameOf(placed.retryFrom) };
}

const calledAfter = (plan: PartPlan | undefined): string => {
  if (plan === undefined) return '';
  if ('model' in plan.object) return plan.object.model;
  return 'table' in plan.object ? plan.object.table : plan.object.name;
};

/** It comes long after the comparison: every row is compared once more. What differs is not mended by releasing again. */
function waited({ retryFrom: _, ...cutover }: CutoverStage, stages: readonly Stage[]): CutoverStage {
  const verify = stages.find((stage) => stage.kind === 'verify');
  return { ...cutover, check: cutover.check ?? verify?.check ?? null };
}
