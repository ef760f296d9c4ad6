import type { FieldProblem } from '../../contracts/api.ts';
import type { ClusterFacts } from '../../contracts/cluster-facts.ts';
import type { DrainStage, PlannedObject, RollStage, ShiftStage, Stage } from '../../contracts/plan.ts';
import type { BlueGreenSpec } from '../../contracts/release-spec.ts';
import type { ServiceRoute } from '../../contracts/route.ts';
import type { HeldObject, ServiceFacts, WorkloadFacts } from '../../contracts/workload.ts';
import { formatDuration } from '../duration.ts';
import { scaledUpOnly, scalerFindings } from '../releases/autoscalers.ts';
import { containerProblems, serviceProblems, workloadProblems } from '../releases/check-objects.ts';
import { serviceAt, workloadAt } from '../releases/facts.ts';
import { dependenciesOf } from '../releases/dependencies.ts';
import { gateOf, gateWords } from '../releases/gates.ts';
import { kept } from '../releases/keep.ts';
import { validation } from '../releases/probes.ts';
import { seenOf } from '../releases/routes.ts';
import { followUpRoute, runningProblems, runningQueries, runningWords, sideServices } from '../releases/running.ts';
import {
  imageChanges,
  isBlind,
  plannedWorkload,
  replacement,
  withReplicas,
  workloadFindings,
} from '../releases/template.ts';
import { approval, ms, parted, timesOf, usual } from '../releases/words.ts';
import type { ReleaseStrategy } from './strategy.ts';

const usualWatch = '5m';
const usualKeep = '24h';

/** Two Deployments, and a Service whose selector chooses one of them: the idle one is brought up, tried, and chosen. */
export const blueGreen: ReleaseStrategy<BlueGreenSpec> = {
  looks(spec) {
    const { service, slots } = spec;
    const { namespace, name } = parted(service);
    const services = [name, ...sideServices(spec)];
    return { namespace, workloads: [slots.blue, slots.green], services, route: followUpRoute(spec) };
  },
  check(spec, facts) {
    const problems = [
      ...serviceProblems(serviceAt(facts, 0), '/service'),
      ...workloadProblems(workloadAt(facts, 0), '/slots/blue'),
      ...workloadProblems(workloadAt(facts, 1), '/slots/green'),
    ];
    return problems.length > 0 ? problems : sideProblems(spec, facts);
  },
  plan(spec, facts) {
    const sides = sidesOf(spec, facts);
    if (sides === null) throw new TypeError('asked for a plan of sides that can not be told apart');
    const { service, active, idle } = sides;
    const changes = imageChanges(idle, spec.images);
    const keepMs = ms(spec.keepOld ?? usualKeep);
    const object: PlannedObject = {
      kind: 'Service',
      namespace: service.namespace,
      name: service.name,
      uid: service.uid ?? '',
      also: [plannedWorkload(active), plannedWorkload(idle), ...routeIn(facts)],
    };
    return {
      ...scaledUpOnly([active, idle], { object, stages: stagesOf(spec, sides, keepMs) }),
      changes: (changes.length === 0 ? [`${idle.name}: the same images`] : changes).map((change) => ({
        change,
        class: 'safe',
        because: 'the other side serves until this one has answered, and is kept ready afterwards',
      })),
      findings: [...workloadFindings(active, spec.images), ...scalerFindings([active, idle])],
      risk: isBlind(idle)
        ? { level: 'medium', because: ['a container without a readiness probe'] }
        : { level: 'low', because: [] },
      estimate: { workMs: ms(spec.watch?.for ?? usualWatch), graceMs: keepMs, rows: null },
    };
  },
};

/** The route is touched too where it tells requests apart. */
const routeIn = ({ route }: ClusterFacts): readonly HeldObject[] =>
  route === null || route.object === null ? [] : [route.object];

interface Sides {
  readonly service: ServiceFacts;
  readonly active: WorkloadFacts;
  readonly idle: WorkloadFacts;
  readonly route: ServiceRoute;
}

/** Which one serves; null: the selector chooses neither, or both. */
function sidesOf({ slots: { label } }: BlueGreenSpec, facts: ClusterFacts): Sides | null {
  const service = serviceAt(facts, 0);
  const [blue, green] = [workloadAt(facts, 0), workloadAt(facts, 1)];
  const stable = service.selector[label];
  const chosen = [blue, green].filter(({ podLabels = {} }) => stable !== undefined && podLabels[label] === stable);
  const active = chosen[0];
  const idle = active === blue ? green : blue;
  const candidate = idle.podLabels?.[label];
  if (active === undefined || chosen.length > 1 || stable === undefined || candidate === undefined) return null;
  const { namespace, name } = service;
  return { service, active, idle, route: { via: 'service', namespace, name, label, stable, candidate } };
}

function sideProblems(spec: BlueGreenSpec, facts: ClusterFacts): readonly FieldProblem[] {
  const { label, blue, green } = spec.slots;
  const sides = sidesOf(spec, facts);
  if (sides === null) {
    const detail = `label ${label} does not tell the sides apart: the pods of ${blue} and ${green} need a value of it each, and the selector of ${spec.service} one of the two`;
    return [{ pointer: '/slots/label', detail }];
  }
  const others = Object.entries(sides.service.selector).filter(
    ([name, value]) => name !== label && sides.idle.podLabels?.[name] !== value,
  );
  return [
    ...containerProblems(spec.images, sides.idle),
    ...runningProblems(spec, facts, sides),
    ...others.map(([name, value]) => ({
      pointer: '/service',
      detail: `the pods of ${sides.idle.name} do not have ${name}: ${value}, which the selector of ${spec.service} asks for besides`,
    })),
  ];
}

function stagesOf(spec: BlueGreenSpec, sides: Sides, keepMs: number): readonly Stage[] {
  const { active, idle } = sides;
  const switched = switchOver(spec, sides);
  return [
    bringUp(spec, sides),
    ...(spec.validate === undefined ? [] : [validation(spec.validate, idle.name, spec.target)]),
    switched,
    ...kept(keepMs, active.name, switched),
    ...drained(spec, sides),
    cleanUp(spec, sides),
  ];
}

/** What goes on running there keeps the old side; where that it fails was accepted, nobody waits for it. */
function drained(spec: BlueGreenSpec, sides: Sides): readonly DrainStage[] {
  const running = runningQueries(spec, sides);
  if (running === undefined || running.way === 'accept') return [];
  const { old, followUps, timeoutMs } = running;
  return [
    {
      kind: 'drain',
      name: 'drain',
      title: `${old.name} is kept until no query runs there, at most ${formatDuration(timeoutMs)}`,
      undoTitle: 'nothing to take back',
      approve: null,
      estimateMs: null,
      coordinator: old,
      timeoutMs,
      followUps,
    },
  ];
}

/** The idle side with the new images, as many pods as the other one has. */
function bringUp(spec: BlueGreenSpec, { active, idle }: Sides): RollStage {
  const changes = imageChanges(idle, spec.images);
  return {
    kind: 'roll',
    name: 'bring-up',
    title: `${idle.name}: ${[...changes, `${active.replicas} pods`].join(', ')}`,
    undoTitle: `${idle.name} as it was, ${idle.replicas} pods`,
    approve: null,
    estimateMs: null,
    workload: plannedWorkload(idle),
    ...withReplicas(replacement(idle, howOf(spec)), active.replicas, idle.replicas),
  };
}

const howOf = (spec: BlueGreenSpec) => ({
  images: spec.images,
  // nobody is sent there: all at once
  surge: '100%',
  unavailable: 0,
  ...timesOf(spec),
});

function switchOver(spec: BlueGreenSpec, sides: Sides): ShiftStage {
  const { active, idle, route } = sides;
  const running = runningQueries(spec, sides);
  const { for: watchFor = usualWatch, checks } = spec.watch ?? {};
  const gate = gateOf(checks);
  return {
    kind: 'shift',
    name: 'switch',
    title: `everything to ${idle.name}, watched for ${formatDuration(ms(watchFor))}${gateWords(gate)}${runningWords(running)}`,
    undoTitle: `everything to ${active.name}`,
    approve: approval(spec.approve ?? running?.way === 'accept'),
    estimateMs: ms(watchFor),
    route,
    weight: 100,
    back: 0,
    scale: null,
    seen: seenOf(spec.seen),
    forMs: ms(watchFor),
    everyMs: ms(spec.every ?? usual.every),
    gate,
    onFail: 'rollback',
    ...dependenciesOf(spec),
    ...(running === undefined ? {} : { running }),
  };
}

/** Pods that nobody is sent to any more. */
function cleanUp(spec: BlueGreenSpec, { active }: Sides): RollStage {
  const same = replacement(active, { ...howOf(spec), images: {} });
  return {
    kind: 'roll',
    name: 'clean-up',
    title: `${active.name}: no pods`,
    undoTitle: `${active.name}: ${active.replicas} pods`,
    approve: null,
    estimateMs: null,
    workload: plannedWorkload(active),
    apply: withReplicas({ apply: same.back, back: same.back }, 0, active.replicas).apply,
    back: withReplicas(same, 0, active.replicas).back,
  };
}
