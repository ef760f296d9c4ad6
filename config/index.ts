export { loadConfig, type LoadOptions } from './load-config.ts';
export { ConfigError, type ConfigProblem } from './config-error.ts';
export type {
  ApiConfig,
  ApprovalConfig,
  ChannelConfig,
  Config,
  MetricsConfig,
  Section,
  TargetConfig,
  TemporalConfig,
  TokenConfig,
} from './config.ts';
export { loadTemporalConnection, temporalAddressOf, type TemporalConnection } from './temporal.ts';
export { ensureSearchAttributes, searchAttributes, type SearchAttributeState } from './search-attributes.ts';
export { overrides } from './overrides.ts';
export { isLoopback } from './loopback.ts';
