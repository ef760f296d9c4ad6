import type { RollingSpec, TableSpec } from '../../contracts/spec.ts';
import { expandContract } from './expand-contract.ts';
import { rolling } from './rolling.ts';
import type { TableStrategy, WorkloadStrategy } from './strategy.ts';

/** One pure function from spec and facts to stages, for each strategy that changes a table. */
export const tableStrategies: Readonly<Record<TableSpec['strategy'], TableStrategy>> = {
  'expand-contract': expandContract,
};

/** The same for each strategy that changes a workload. */
export const workloadStrategies: Readonly<Record<RollingSpec['strategy'], WorkloadStrategy>> = { rolling };
