import type { Strategy } from '../../contracts/catalog.ts';
import { expandContract } from './expand-contract.ts';
import type { StrategyInput, StrategyParts } from './strategy.ts';

/** One pure function from spec and facts to stages, for each strategy there is. */
export const planStrategies: Readonly<Record<Strategy, (input: StrategyInput) => StrategyParts>> = {
  'expand-contract': expandContract,
};
