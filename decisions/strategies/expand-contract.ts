import type { ApprovalNeed } from '../../contracts/approval-need.ts';
import type { Stage } from '../../contracts/plan.ts';
import type { ContractSpec, TableSpec } from '../../contracts/spec.ts';
import { parseDuration } from '../duration.ts';
import { carriedBy } from '../sql/postgres/carry/carried.ts';
import type { Change } from '../sql/postgres/changes/change.ts';
import { changesOf } from '../sql/postgres/changes/index.ts';
import { droppedOf } from '../sql/postgres/alterations.ts';
import { markOf } from '../sql/postgres/ours.ts';
import { findingsOf, riskOf } from './classify.ts';
import * as stage from './expand-contract-stages.ts';
import type { StrategyInput, StrategyParts } from './strategy.ts';

const week = 7 * 86_400_000;

/**
 * Adds the new shape beside the old one, keeps both true by a two-way trigger, converts the rows that are there,
 * proves it, waits for the application to move, and drops the old shape only after a grace period and an approval.
 */
export function expandContract(input: StrategyInput): StrategyParts {
  const { spec, facts, homeSchema } = input;
  const changes = changesOf(spec, facts.columns);
  const graceMs = parseDuration(spec.contract?.after ?? '7d') ?? week;
  const stages = stagesOf(input, changes, graceMs);
  const workMs = stages.reduce((sum, { estimateMs, kind }) => (kind === 'grace' ? sum : sum + (estimateMs ?? 0)), 0);
  return {
    object: {
      schema: facts.schema,
      table: facts.table,
      oid: input.oid,
      columns: changes.flatMap(({ columns }) => columns),
      homeSchema,
      ...(facts.rights.actsAs === undefined ? {} : { actsAs: facts.rights.actsAs }),
    },
    stages,
    changes: changes.map(({ classification }) => classification),
    risk: riskOf(changes, facts),
    findings: findingsOf(changes, facts),
    estimate: { workMs: facts.rows === null ? null : workMs, graceMs, rows: facts.rows },
  };
}

function stagesOf(
  { spec, facts, oid, homeSchema }: StrategyInput,
  changes: readonly Change[],
  graceMs: number,
): readonly Stage[] {
  const ours = {
    schema: facts.schema,
    table: facts.table,
    homeSchema,
    mark: markOf(spec),
    key: facts.key,
    leaves: facts.kind === 'p' ? (facts.partitions ?? []).length : null,
    ...(facts.rights.actsAs === undefined ? {} : { actsAs: facts.rights.actsAs }),
    othersBefore: facts.triggers.some(({ beforeRow, enabled }) => beforeRow && enabled),
  };
  const changesAfter = changesOf(spec, facts.columns, 'after');
  const given: stage.StageInput = {
    ...{ spec, facts, oid, ours, changes },
    after: { ours: { ...ours, key: keyAfter(facts, changesAfter) }, changes: changesAfter },
    carried: carriedBy(ours, facts, changes),
  };
  const built = stage.build(given);
  const approvals = approvalsOf(spec, changes);
  return [
    stage.preflight(given),
    stage.expand(given),
    stage.backfill(given),
    ...(built === null ? [] : [built]),
    stage.verify(given),
    stage.cutover(given, approvals.cutover),
    stage.grace(given, graceMs),
    stage.contract(given, approvals.contract),
  ];
}

/** A column of the key that keeps its name has another type after the cutover. */
const keyAfter = ({ key }: StrategyInput['facts'], changes: readonly Change[]): StrategyInput['facts']['key'] =>
  key.map(({ name, type }) => ({
    name,
    type: changes.find(({ replaces }) => replaces?.fresh.name === name)?.replaces?.fresh.type ?? type,
  }));

/**
 * Without another deployment to wait for, a person must say that the application has moved; a person always allows the
 * drop. A change that has no old shape has nobody to move and nothing to drop: it waits only where its spec says so.
 */
function approvalsOf(
  spec: TableSpec,
  changes: readonly Change[],
): Readonly<Record<'cutover' | 'contract', ApprovalNeed | null>> {
  const moves = changes.some((change) => change.moves);
  const drops = droppedOf(changes).length > 0;
  const proof = spec.cutover?.after !== undefined;
  return {
    cutover: approval(spec.cutover?.approve ?? (moves && !proof), {}),
    contract: approval(spec.contract?.approve ?? drops, spec.contract ?? {}),
  };
}

function approval(approve: boolean | string, { approvals = 1, notBy }: ContractSpec): ApprovalNeed | null {
  if (approve === false) return null;
  return { group: approve === true ? null : approve, count: approvals, notByAuthor: notBy === 'author' };
}
