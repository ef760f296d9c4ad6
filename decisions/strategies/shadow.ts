import type { FieldProblem } from '../../contracts/api.ts';
import type { ClusterFacts } from '../../contracts/cluster-facts.ts';
import type { Finding, ShadowStage, Stage } from '../../contracts/plan.ts';
import type { CompareSpec, RequestsSpec, ShadowSpec } from '../../contracts/release-spec.ts';
import type { Comparison, ShadowSource } from '../../contracts/shadow.ts';
import type { Candidate } from '../../contracts/workload.ts';
import { candidateOf, candidateProblems } from '../releases/candidates.ts';
import { workloadAt } from '../releases/facts.ts';
import { parsePercent } from '../releases/gates.ts';
import { validation } from '../releases/probes.ts';
import { candidateName } from '../releases/routes.ts';
import { imageChanges, isBlind, plannedWorkload } from '../releases/template.ts';
import { approval, ms, parted, seconds, usual } from '../releases/words.ts';
import { looksOf, usualAgree, usualAtLeast } from '../releases/shadow-looks.ts';
import type { ReleaseStrategy } from './strategy.ts';

/** Where a spec says nothing. */
const wont = {
  replicas: 1,
  rate: 10,
  timeout: '2s',
  blindFor: '5m',
  agree: usualAgree,
  compare: {},
  noise: false,
  onFail: 'rollback',
} as const satisfies Partial<ShadowSpec>;
/** How long one activity asks before it hands back, ms. */
const sliceMs = 30_000;

/**
 * A candidate answers the same requests as the stable side, and nobody gets its answers: they are compared, and then it
 * goes. Nothing about the stable side is changed, whatever comes of it.
 */
export const shadow: ReleaseStrategy<ShadowSpec> = {
  looks({ workload, service }) {
    const { namespace, name } = parted(workload);
    return {
      namespace,
      workloads: [name, candidateName(name)],
      services: [service, candidateName(service)],
      route: null,
      selectors: true,
    };
  },
  check: (spec, facts) => [...candidateProblems(spec, facts), ...alsoSelected(spec, facts)],
  plan(spec, facts) {
    const workload = workloadAt(facts, 0);
    const changes = imageChanges(workload, spec.images);
    return {
      object: plannedWorkload(workload),
      stages: stagesOf(spec, facts, changes),
      changes: changes.map((change) => ({ change, class: 'safe', because: 'nobody is answered by it' })),
      findings: [...ofWrites(spec), ...ofRequests(spec)],
      risk: isBlind(workload)
        ? { level: 'medium', because: ['a container without a readiness probe'] }
        : { level: 'low', because: [] },
      estimate: { workMs: leastMs(spec), graceMs: 0, rows: null },
    };
  },
};

/** Answers may come from the candidate only to us: a Service that finds its pods would send it users. */
function alsoSelected(spec: ShadowSpec, facts: ClusterFacts): readonly FieldProblem[] {
  const workload = workloadAt(facts, 0);
  if (workload.uid === null) return [];
  const labels = new Map(Object.entries({ ...workload.podLabels, ...asCandidate(spec, facts).labels }));
  return (facts.selectors ?? [])
    .filter(({ selector }) => Object.entries(selector).every(([name, value]) => labels.get(name) === value))
    .map(({ service }) => ({
      pointer: '/workload',
      detail: `Service ${service} would select the candidate's pods too, and send it requests of users`,
    }));
}

const asCandidate = (spec: ShadowSpec, facts: ClusterFacts): Candidate => ({
  ...candidateOf(spec, facts, {
    replicas: spec.replicas ?? wont.replicas,
    drainSeconds: 0,
    deadlineSeconds: seconds(spec.deadline ?? usual.deadline),
  }),
  ...(spec.writes === 'none' ? {} : { env: spec.writes.env }),
});

function stagesOf(spec: ShadowSpec, facts: ClusterFacts, changes: readonly string[]): readonly Stage[] {
  const candidate = asCandidate(spec, facts);
  const common = { approve: null, estimateMs: null, candidate } as const;
  return [
    {
      ...common,
      kind: 'candidate',
      name: 'candidate',
      title: `${candidate.name}: ${[...(changes.length === 0 ? ['the same images'] : changes), ...writesWords(spec)].join(', ')}`,
      undoTitle: `remove ${candidate.name}`,
      approve: approval(spec.approve ?? false),
    },
    ...(spec.validate === undefined ? [] : [validation(spec.validate, candidate.name, spec.target)]),
    comparing(spec),
    {
      ...common,
      kind: 'retire',
      name: 'retire',
      title: `remove ${candidate.name}`,
      undoTitle: `bring ${candidate.name} up again`,
    },
  ];
}

function comparing(spec: ShadowSpec): ShadowStage {
  const looks = looksOf(spec);
  const { rate, timeout, blindFor, agree, compare, noise, onFail, requests, sides, workload } = { ...wont, ...spec };
  return {
    kind: 'shadow',
    name: 'shadow',
    title: `${looks[0]} to ${looks.at(-1)} answers compared, ${rate} requests a second; ${agree} agree`,
    undoTitle: 'nothing to take back',
    approve: null,
    estimateMs: leastMs(spec),
    sides,
    source: sourceOf(requests, parted(workload).namespace),
    harmless: requests.harmless === true,
    compare: comparisonOf(compare),
    noise,
    agree: parsePercent(agree) ?? 1,
    looks,
    perSecond: rate,
    timeoutMs: ms(timeout),
    sliceMs,
    blindForMs: ms(blindFor),
    onFail,
  };
}

const sourceOf = (requests: RequestsSpec, namespace: string): ShadowSource =>
  'list' in requests
    ? { by: 'list', requests: requests.list }
    : { by: 'config-map', namespace, name: requests.configMap, key: requests.key };

const comparisonOf = ({ ignore = [], tolerance = [], maps = [] }: CompareSpec): Comparison => ({
  ignore,
  maps,
  tolerance: tolerance.map(({ at, absolute = null, relative }) => ({
    at,
    absolute,
    relative: relative === undefined ? null : (parsePercent(relative) ?? null),
  })),
});

/** How long the answers of the first look take at least, ms. */
const leastMs = ({ atLeast = usualAtLeast, rate = wont.rate }: ShadowSpec): number =>
  Math.round((1_000 * atLeast) / rate);

const writesWords = ({ writes }: ShadowSpec): readonly string[] =>
  writes === 'none' ? [] : [`writes by ${Object.keys(writes.env).join(', ')}`];

const ofWrites = ({ writes }: ShadowSpec): Finding[] =>
  writes === 'none'
    ? [
        {
          code: 'NO_WRITES_DECLARED',
          level: 'noted',
          detail: 'that the candidate writes nothing is what the spec says: nobody looks',
          pointer: '/writes',
        },
      ]
    : [];

/** A rate of agreement on few requests says little of others. */
function ofRequests({ requests, atLeast = usualAtLeast }: ShadowSpec): Finding[] {
  if (!('list' in requests) || requests.list.length >= atLeast) return [];
  return [
    {
      code: 'REQUESTS_REPEATED',
      level: 'noted',
      detail: `${requests.list.length} requests are asked again and again: the agreement is that on these, and not on others`,
      pointer: '/requests',
    },
  ];
}
