import { patched } from '@temporalio/workflow';
import type { InspectInput, InspectTable } from '../contracts/messages.ts';
import type { TableFacts } from '../contracts/facts.ts';
import { sqlDialects } from '../decisions/sql/dialect.ts';
import type { ClusterFacts } from '../contracts/cluster-facts.ts';
import type { ModelFacts } from '../contracts/model.ts';
import { lookAtClusterOnce, lookAtModelOnce, lookAtOnce } from './activities.ts';

/**
 * Looks at what a spec is about, for a preview or a plan: first at the catalog, then at what the server says of the
 * spec's expressions. Nothing stays behind; the API holds no client of a target and asks this workflow instead.
 */
export async function inspect(input: InspectInput): Promise<TableFacts | ClusterFacts | ModelFacts> {
  if (input.dialect === 'postgres') return inspectTable(input);
  if (input.dialect === 'mlflow') return lookAtModelOnce({ target: input.target, looks: input.looks });
  return lookAtClusterOnce({ target: input.target, looks: input.looks });
}

async function inspectTable({ spec, dialect, homeSchema }: InspectTable): Promise<TableFacts> {
  const { inspect: looks, facts: read, probes, expressions, dependents } = sqlDialects[dialect];
  const target = spec.target;
  const facts = read(spec, await lookAtOnce({ target, statements: looks(spec, homeSchema), mode: 'read-only' }));
  if (facts.oid === null || !(facts.kind === 'r' || (facts.kind === 'p' && patched('partitioned-tables'))))
    return facts;
  const trials = await lookAtOnce({ target, statements: probes(spec, facts), mode: 'discard' });
  return {
    ...facts,
    expressions: expressions(spec, facts.columns, trials),
    ...(facts.dependents === undefined ? {} : { dependents: dependents(facts, trials) }),
  };
}
