import type { LookResult } from '../../contracts/activities.ts';
import type { Dialect } from '../../contracts/catalog.ts';
import type { ColumnFacts, DependentFacts, ExpressionFacts, TableFacts } from '../../contracts/facts.ts';
import type { Statement } from '../../contracts/plan.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { followed } from './postgres/carry/follow.ts';
import { tableFacts } from './postgres/facts.ts';
import { inspect } from './postgres/inspect.ts';
import { expressionFacts, probes } from './postgres/probe.ts';

/** How facts about a table are asked for and read, in one dialect. */
export interface SqlDialect {
  /** Catalog looks at the spec's table. */
  readonly inspect: (spec: TableSpec, homeSchema: string) => readonly Statement[];
  readonly facts: (spec: TableSpec, results: Readonly<Record<string, LookResult>>) => TableFacts;
  /** Trials of the spec's expressions, in a transaction that is rolled back. */
  readonly probes: (spec: TableSpec, facts: TableFacts) => readonly Statement[];
  readonly expressions: (
    spec: TableSpec,
    columns: readonly ColumnFacts[],
    results: Readonly<Record<string, LookResult>>,
  ) => readonly ExpressionFacts[];
  /** What the trials gave of what hangs on columns that are replaced. */
  readonly dependents: (facts: TableFacts, results: Readonly<Record<string, LookResult>>) => readonly DependentFacts[];
}

/** One entry for each dialect there is. */
export const sqlDialects: Readonly<Record<Exclude<Dialect, 'kubernetes' | 'mlflow'>, SqlDialect>> = {
  postgres: { inspect, facts: tableFacts, probes, expressions: expressionFacts, dependents: followed },
};
