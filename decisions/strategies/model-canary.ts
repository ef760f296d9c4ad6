import type { FieldProblem } from '../../contracts/api.ts';
import type { HeldModel, ModelFacts, ModelHolds, ModelLooks, VersionFacts } from '../../contracts/model.ts';
import type { ModelSpec } from '../../contracts/model-spec.ts';
import type { AliasStage, Finding, KeepStage, ModelPlan, ShiftStage } from '../../contracts/plan.ts';
import { formatDuration } from '../duration.ts';
import { pointing } from '../models/drift.ts';
import { misfits } from '../models/signatures.ts';
import { missing } from '../releases/check-objects.ts';
import { routeProblems, unseen } from '../releases/routes.ts';
import { shiftsOf, stepsOf } from '../releases/steps.ts';
import { ms } from '../releases/words.ts';
import type { StagesAndRisk } from './strategy.ts';

/** What has to be seen of the registry. */
export const modelLooks = ({ model, candidate, stable, route }: ModelSpec): ModelLooks => ({
  model,
  version: String(candidate.version),
  stable: stable.alias,
  candidate: candidate.alias,
  route,
});

/** All that speaks against it, each with the field that is the cause. */
export function checkModel(spec: ModelSpec, facts: ModelFacts): readonly FieldProblem[] {
  const { model, candidate, route } = spec;
  if (facts.createdAt === null) return [missing('model', model, facts.nearby, '/model')];
  return [
    ...routeProblems(route, facts.route, route),
    ...stableProblems(spec, facts),
    ...versionProblems(spec, versionIn(facts, String(candidate.version))),
    ...signatureProblems(spec, facts),
  ];
}

function stableProblems({ model, stable, candidate }: ModelSpec, facts: ModelFacts): FieldProblem[] {
  const inService = facts.aliases[stable.alias] ?? null;
  const pointer = '/stable/alias';
  if (inService === null) return [{ pointer, detail: `there is no alias ${stable.alias} of ${model}` }];
  if (versionIn(facts, inService) === undefined)
    return [{ pointer, detail: `alias ${stable.alias} points to version ${inService}, which is not there` }];
  return inService === String(candidate.version)
    ? [{ pointer: '/candidate/version', detail: `is in service already: alias ${stable.alias} points to it` }]
    : [];
}

function versionProblems({ model, candidate }: ModelSpec, version: VersionFacts | undefined): FieldProblem[] {
  const pointer = '/candidate/version';
  if (version === undefined) return [{ pointer, detail: `there is no version ${candidate.version} of ${model}` }];
  return version.status === 'READY'
    ? []
    : [{ pointer, detail: `version ${candidate.version} of ${model} is ${version.status}, not READY` }];
}

/** What can not be compared is not known to fit; only where the stable side has none there is nothing to compare with. */
function signatureProblems({ candidate, model, stable }: ModelSpec, facts: ModelFacts): FieldProblem[] {
  const one = versionIn(facts, String(candidate.version));
  const other = versionIn(facts, facts.aliases[stable.alias] ?? '');
  if (one === undefined || other?.signature === undefined || other.signature === null) return [];
  const pointer = '/candidate/version';
  const called = `version ${candidate.version} of ${model}`;
  if (one.signature === null) return [{ pointer, detail: `${called} has no signature that can be read` }];
  return misfits(other.signature, one.signature).map((why) => ({
    pointer,
    detail: `${called} does not fit where version ${other.version} is: ${why}`,
  }));
}

const versionIn = ({ versions }: ModelFacts, version: string): VersionFacts | undefined =>
  versions.find((one) => one.version === version);

/**
 * The candidate gets an alias of its own and a growing share of the traffic; then the alias of the version in service
 * moves to it, and the old version is kept warm for a while.
 */
export function planModel(spec: ModelSpec, facts: ModelFacts): StagesAndRisk & Pick<ModelPlan, 'object'> {
  const { model, candidate, stable } = spec;
  const version = String(candidate.version);
  const before = facts.aliases[stable.alias] ?? null;
  const object: HeldModel = { model, createdAt: facts.createdAt ?? 0 };
  const keepMs = ms(spec.keepOld ?? '0s');
  const during = holdsOf(object, facts, { [candidate.alias]: version, [stable.alias]: before });
  const shifts = shiftsOf(spec, spec.route).map((shift): ShiftStage => ({ ...shift, holds: during }));
  const trial: AliasStage = {
    ...moved(model, candidate.alias, version, facts.aliases[candidate.alias] ?? null),
    name: 'alias',
    approve: shifts[0]?.approve ?? null,
    holds: holdsOf(object, facts, facts.aliases),
  };
  return {
    object,
    stages: [
      trial,
      // who allows the first step allows the alias before it
      ...shifts.map((shift, index) => (index === 0 ? { ...shift, approve: null } : shift)),
      { ...moved(model, stable.alias, version, before), name: 'promote', approve: null, holds: during },
      ...kept(before, keepMs),
    ],
    changes: [
      {
        change: `${model}: version ${before ?? 'none'} → ${version}`,
        class: 'safe',
        because: 'a growing share of the traffic, watched; the old version is one order away',
      },
    ],
    findings: [...unseen(spec), ...unknownSignature(spec, facts)],
    risk: { level: 'low', because: [] },
    estimate: {
      workMs: stepsOf(spec).reduce((sum, step) => sum + ms(step.for), 0) + keepMs,
      graceMs: 0,
      rows: null,
    },
  };
}

const holdsOf = (
  object: HeldModel,
  { versions }: ModelFacts,
  aliases: Readonly<Record<string, string | null>>,
): ModelHolds => ({
  ...object,
  aliases: Object.entries(aliases).map(([alias, version]) => ({ alias, version })),
  versions,
});

const moved = (model: string, alias: string, version: string, before: string | null) => ({
  kind: 'alias' as const,
  title: `alias ${alias} of ${model} points to version ${version}`,
  undoTitle: before === null ? `no alias ${alias}` : `it ${pointing(before)}`,
  estimateMs: null,
  alias,
  version,
  before,
});

const kept = (version: string | null, forMs: number): readonly KeepStage[] =>
  forMs === 0
    ? []
    : [
        {
          kind: 'keep',
          name: 'keep',
          title: `version ${version ?? ''} is kept warm for ${formatDuration(forMs)}`,
          undoTitle: 'nothing to take back',
          approve: null,
          estimateMs: forMs,
          forMs,
        },
      ];

const unknownSignature = ({ stable }: ModelSpec, facts: ModelFacts): readonly Finding[] => {
  const version = facts.aliases[stable.alias] ?? '';
  if (versionIn(facts, version)?.signature !== null) return [];
  return [
    {
      code: 'SIGNATURE_UNKNOWN',
      level: 'unknown',
      detail: `version ${version}, which is in service, has no signature that can be read: nobody has compared what the candidate takes and gives`,
      pointer: '/stable/alias',
    },
  ];
};
