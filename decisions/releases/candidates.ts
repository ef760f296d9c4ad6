import type { FieldProblem } from '../../contracts/api.ts';
import type { ClusterFacts } from '../../contracts/cluster-facts.ts';
import type { Candidate } from '../../contracts/workload.ts';
import { containerProblems, serviceProblems, workloadProblems } from './check-objects.ts';
import { serviceAt, workloadAt } from './facts.ts';
import { candidateName } from './routes.ts';

/** What a spec says of a candidate. The facts are those of the workload and its twin, and of the Service and its twin. */
export interface Wanted {
  readonly workload: string;
  readonly service?: string;
  readonly images?: Readonly<Record<string, string>>;
}

/** What speaks against bringing a candidate up beside its stable side. */
export function candidateProblems(spec: Wanted, facts: ClusterFacts): readonly FieldProblem[] {
  const workload = workloadAt(facts, 0);
  const problems = workloadProblems(workload, '/workload');
  const found = workload.uid === null ? [] : containerProblems(spec.images ?? {}, workload);
  return [...found, ...problems, ...taken(workloadAt(facts, 1), 'Deployment'), ...ofService(spec, facts)];
}

/** The candidate's names have to be free. */
const taken = (
  { namespace, name, uid }: { readonly namespace: string; readonly name: string; readonly uid: string | null },
  kind: string,
): FieldProblem[] =>
  uid === null
    ? []
    : [
        {
          pointer: '/workload',
          detail: `there is a ${kind} ${namespace}/${name} already: the candidate would be called so`,
        },
      ];

function ofService(spec: Wanted, facts: ClusterFacts): readonly FieldProblem[] {
  if (spec.service === undefined) return [];
  const service = serviceAt(facts, 0);
  const problems = [...serviceProblems(service, '/service'), ...taken(serviceAt(facts, 1), 'Service')];
  if (service.uid === null || labelOf(spec, facts) !== null) return problems;
  const detail = `Service ${service.name} selects by no label of the selector of ${spec.workload}: the candidate's pods could not be told apart`;
  return [...problems, { pointer: '/service', detail }];
}

/** A label by which the Service and the Deployment both find the pods, and its value. */
function labelOf(spec: Wanted, facts: ClusterFacts): readonly [name: string, value: string] | null {
  const own = Object.entries(workloadAt(facts, 0).selector ?? {});
  if (spec.service === undefined) return own[0] ?? null;
  const { selector } = serviceAt(facts, 0);
  return own.find(([name, value]) => selector[name] === value) ?? null;
}

/** The candidate: a copy of the workload under another name and another value of one label. Times in seconds. */
export function candidateOf(
  spec: Wanted,
  facts: ClusterFacts,
  how: Pick<Candidate, 'replicas' | 'drainSeconds' | 'deadlineSeconds'>,
): Candidate {
  const { kind, namespace, name } = workloadAt(facts, 0);
  const [label = '', value = ''] = labelOf(spec, facts) ?? [];
  const { service, images = {} } = spec;
  return {
    of: { kind, namespace, name },
    name: candidateName(name),
    service: service === undefined ? null : { of: service, name: candidateName(service) },
    labels: { [label]: candidateName(value) },
    images,
    ...how,
  };
}
