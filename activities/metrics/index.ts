import type { Protection } from '../../contracts/protection.ts';
import type { P99 } from '../../decisions/pace/share.ts';
import type { LatencySource } from './latency-source.ts';
import { ProbeSource, type Pools } from './probe.ts';
import { PrometheusSource, type PrometheusOptions } from './prometheus.ts';

/** Finds a metrics source of the configuration; null: the worker knows none of this name. */
export type FindMetrics = (name: string) => PrometheusOptions | null;

/** What a source is made of. */
export interface SourceContext {
  readonly url: string;
  readonly applicationName: string;
  readonly deployment: string;
  readonly metrics: FindMetrics;
  /** Nothing of ours has run lately. */
  readonly quiet: boolean;
  /** What was measured without us before this slice. */
  readonly alone: P99 | null;
  readonly pools: Pools;
}

type By = Protection['by'];
type Open<K extends By['kind']> = (by: Extract<By, { kind: K }>, context: SourceContext) => LatencySource | null;

/** Every kind of source there is. Null: the worker's configuration does not know it. */
const sources: { readonly [K in By['kind']]: Open<K> } = {
  metrics({ source }, { metrics, alone, quiet }) {
    const options = metrics(source);
    return options === null ? null : new PrometheusSource(options, alone, quiet);
  },
  probe: ({ prepare, keys, one, commit }, { url, applicationName, deployment, pools }) =>
    new ProbeSource(
      {
        url,
        applicationName,
        prepare: prepare.map(({ sql }) => sql),
        keys: keys.sql,
        one: one.sql,
        commit: commit === undefined ? null : { sql: commit.sql, deployment },
      },
      pools,
    ),
};

/** Opens what the plan names. */
export function openSource(by: By, context: SourceContext): LatencySource | null {
  // The record has one function a kind, each for its own; TypeScript can't see that the key and the argument agree.
  const open = sources[by.kind] as Open<By['kind']>;
  return open(by, context);
}
