import type { ReleaseSpec } from '../../contracts/release-spec.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { blueGreen } from './blue-green.ts';
import { canary } from './canary.ts';
import { expandContract } from './expand-contract.ts';
import { recreate } from './recreate.ts';
import { rolling } from './rolling.ts';
import { shadow } from './shadow.ts';
import type { ReleaseStrategy, TableStrategy } from './strategy.ts';

/** One pure function from spec and facts to stages, for each strategy that changes a table. */
export const tableStrategies: Readonly<Record<TableSpec['strategy'], TableStrategy>> = {
  'expand-contract': expandContract,
};

/** The same for each strategy that changes a workload. */
const releaseStrategies: {
  readonly [K in ReleaseSpec['strategy']]: ReleaseStrategy<Extract<ReleaseSpec, { readonly strategy: K }>>;
} = { rolling, canary, 'blue-green': blueGreen, recreate, shadow };

/** The strategy of a spec, for this spec. */
export const releaseStrategyOf = ({ strategy }: ReleaseSpec): ReleaseStrategy<ReleaseSpec> =>
  // TypeScript can't see that the strategy found under a spec's own name takes that spec.
  releaseStrategies[strategy] as unknown as ReleaseStrategy<ReleaseSpec>;
