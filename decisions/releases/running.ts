import type { FieldProblem } from '../../contracts/api.ts';
import type { ClusterFacts } from '../../contracts/cluster-facts.ts';
import type { BlueGreenSpec, RunningSpec } from '../../contracts/release-spec.ts';
import type { GatewayRoute } from '../../contracts/route.ts';
import type { Coordinator, FollowUps, RunningQueries } from '../../contracts/running.ts';
import type { ServiceFacts, WorkloadFacts } from '../../contracts/workload.ts';
import { formatDuration } from '../duration.ts';
import { missing, owned, serviceProblems } from './check-objects.ts';
import { serviceAt } from './facts.ts';
import { ms, parted } from './words.ts';

const usual = { user: 'lakeshift', timeout: '2h' };
const sideNames = ['blue', 'green'] as const;

/** The two sides in the order of the switch. */
export interface SwitchedSides {
  readonly active: WorkloadFacts;
  readonly idle: WorkloadFacts;
}

/** Services that select one side each whichever is switched to, blue first; none: nothing needs them. */
export function sideServices({ running, slots }: BlueGreenSpec): readonly string[] {
  if (running === undefined || !('finishOn' in running)) return [];
  const { blue, green } = running.services ?? slots;
  return [blue, green];
}

/** The route whose rules tell follow-up requests apart; null: none does. */
export function followUpRoute({ running, service }: BlueGreenSpec): GatewayRoute | null {
  if (running === undefined || !('finishOn' in running)) return null;
  const { namespace, name } = parted(service);
  // as it is looked at there is no candidate: each rule that names the Service has to send everything there
  return { via: 'gateway-api', namespace, name: running.route, stable: name, candidate: '' };
}

/** What a plan says of running queries. */
export function runningQueries(spec: BlueGreenSpec, { active, idle }: SwitchedSides): RunningQueries | undefined {
  const { running } = spec;
  if (running === undefined) return undefined;
  return {
    engine: running.engine,
    way: wayOf(running),
    old: coordinatorOf(spec, running, active.name),
    followUps: followUpsOf(spec, running, [active.name, idle.name]),
    timeoutMs: ms(running.timeout ?? usual.timeout),
  };
}

const wayOf = (running: RunningSpec): RunningQueries['way'] => {
  if ('finishOn' in running) return 'finish-on-old';
  return 'wait' in running ? 'wait' : 'accept';
};

const coordinatorOf = ({ slots }: BlueGreenSpec, running: RunningSpec, name: string): Coordinator => ({
  name,
  url: running.coordinators[name === slots.blue ? 'blue' : 'green'],
  user: running.user ?? usual.user,
});

function followUpsOf(spec: BlueGreenSpec, running: RunningSpec, order: readonly string[]): FollowUps | null {
  if (!('finishOn' in running)) return null;
  const { namespace, name } = parted(spec.service);
  const services = running.services ?? spec.slots;
  return {
    route: { namespace, name: running.route },
    service: name,
    sides: order.map((side) => ({
      service: services[side === spec.slots.blue ? 'blue' : 'green'],
      coordinator: coordinatorOf(spec, running, side),
    })),
    address: running.address,
  };
}

/** What becomes of them, after the words of the switch. */
export function runningWords(running: RunningQueries | undefined): string {
  if (running === undefined) return '';
  const { way, old, timeoutMs } = running;
  if (way === 'finish-on-old') return `; queries that run on ${old.name} finish there`;
  if (way === 'accept') return `; queries that run on ${old.name} fail`;
  return `; not before no query runs on ${old.name}, at most ${formatDuration(timeoutMs)}`;
}

/** What speaks against it, as long as nothing has begun. */
export function runningProblems(spec: BlueGreenSpec, facts: ClusterFacts, sides: SwitchedSides): FieldProblem[] {
  const { running } = spec;
  if (running === undefined) return unanswered(spec, sides);
  if ('accept' in running && spec.approve === false)
    return [{ pointer: '/approve', detail: 'must be true or the name of a group: failed queries need a person' }];
  return 'finishOn' in running ? followUpProblems(spec, running, facts, sides) : [];
}

/** Nobody has said what becomes of queries, and there may be some. */
function unanswered(spec: BlueGreenSpec, { active, idle }: SwitchedSides): FieldProblem[] {
  const because = whyTrino(spec, [active, idle]);
  if (because === null) return [];
  const ways = '`finishOn: old`, `wait: idle`, or `accept: failed-queries`, which a person allows';
  return [
    { pointer: '/running', detail: `is missing: ${because}, and a switch would break its running queries; ${ways}` },
  ];
}

/** Why it is taken for Trino; null: nothing says so. */
function whyTrino({ images, validate }: BlueGreenSpec, sides: readonly WorkloadFacts[]): string | null {
  const found = [...sides.flatMap(({ containers }) => containers.map(({ image }) => image)), ...Object.values(images)];
  const image = found.find(isTrino);
  if (image !== undefined) return `image ${image} is Trino`;
  return validate?.probes.some((probe) => 'trino' in probe) === true ? 'a probe asks Trino' : null;
}

/** By the name of the repository; a gateway in front of it runs no query. */
function isTrino(image: string): boolean {
  const repository = image.split('/').at(-1)?.split(/[:@]/)[0]?.toLowerCase() ?? '';
  return repository.includes('trino') && !repository.includes('gateway');
}

function followUpProblems(
  spec: BlueGreenSpec,
  running: Extract<RunningSpec, { finishOn: 'old' }>,
  facts: ClusterFacts,
  sides: SwitchedSides,
): FieldProblem[] {
  const { namespace } = parted(spec.service);
  const services = sideNames.flatMap((side, index) => {
    const pods = sides.active.name === spec.slots[side] ? sides.active : sides.idle;
    const other = pods === sides.active ? sides.idle : sides.active;
    return sideServiceProblems(serviceAt(facts, 1 + index), pods, other, `/running/services/${side}`);
  });
  const { route } = facts;
  if (route === null) return services;
  const called = `${namespace}/${running.route}`;
  if (route.object === null) return [...services, missing('HTTPRoute', called, route.nearby, '/running/route')];
  return [
    ...services,
    ...owned(called, route.ownedBy, '/running/route'),
    ...(route.state.weight === 0 ? [] : [{ pointer: '/running/route', detail: `${called}: ${route.state.because}` }]),
  ];
}

/** A Service for one side has to select its pods, and never those of the other. */
function sideServiceProblems(
  service: ServiceFacts,
  pods: WorkloadFacts,
  other: WorkloadFacts,
  pointer: string,
): readonly FieldProblem[] {
  const problems = serviceProblems({ ...service, ownedBy: null }, pointer);
  if (problems.length > 0) return problems;
  const selects = ({ podLabels = {} }: WorkloadFacts): boolean =>
    Object.entries(service.selector).every(([name, value]) => podLabels[name] === value);
  if (Object.keys(service.selector).length > 0 && selects(pods) && !selects(other)) return [];
  return [{ pointer, detail: `Service ${service.name} does not select the pods of ${pods.name} alone` }];
}
