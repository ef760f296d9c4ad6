export { loadConfig, type LoadOptions } from './load-config.ts';
export { ConfigError, type ConfigProblem } from './config-error.ts';
export type {
  ApiConfig,
  ApprovalConfig,
  Config,
  MetricsConfig,
  Section,
  TargetConfig,
  TemporalConfig,
  TokenConfig,
} from './config.ts';
export { loadTemporalConnection, type TemporalConnection } from './temporal.ts';
export { ensureSearchAttributes, searchAttributes, type SearchAttributeState } from './search-attributes.ts';
export { overrides } from './overrides.ts';
export { isLoopback } from './rules.ts';
