import type { FieldProblem } from '../contracts/api.ts';
import type { ModelSpec } from '../contracts/model-spec.ts';
import type {
  BlueGreenSpec,
  CanarySpec,
  ChecksSpec,
  ReleaseSpec,
  RollingSpec,
  RunningSpec,
  SeenSpec,
} from '../contracts/release-spec.ts';
import { shadowClashes } from './check-shadow-spec.ts';

/** What is wrong between the fields of a release, each of which is in order. */
export function releaseClashes(spec: ReleaseSpec): readonly FieldProblem[] {
  if (spec.strategy === 'rolling') return [...batchClashes(spec), ...standstill(spec)];
  if (spec.strategy === 'canary')
    return [
      ...flagClashes(spec),
      ...stepClashes(spec),
      ...sameSides(spec),
      ...sameCounters(spec.seen),
      ...sameNames(spec),
      ...compared(spec),
    ];
  if (spec.strategy === 'shadow') return shadowClashes(spec);
  return spec.strategy === 'blue-green'
    ? [
        ...slotClashes(spec),
        ...sameCounters(spec.seen),
        ...sameNames(spec),
        ...alone(spec.watch?.checks, '/watch/checks'),
      ]
    : [];
}

/** The same of a model. */
export const modelClashes = (spec: ModelSpec): readonly FieldProblem[] => [
  ...said(
    spec.candidate.alias !== spec.stable.alias,
    '/candidate/alias',
    `must differ from that of the version in service: both are ${spec.stable.alias}`,
  ),
  ...stepClashes(spec),
  ...sameSides(spec),
  ...sameCounters(spec.seen),
  ...compared(spec),
];

/** What was counted is known by its name. */
function compared({ checks, steps = [] }: Pick<CanarySpec, 'checks' | 'steps'>): FieldProblem[] {
  return [
    ...doubled(checks, '/checks'),
    ...steps.flatMap((step, index) => [
      ...doubled(step.checks, `/steps/${index}/checks`),
      ...(step.weight === 100 ? alone(step.checks, `/steps/${index}/checks`) : []),
    ]),
  ];
}

/** Where all traffic is on one side there is nothing to compare it with. */
const alone = (checks: ChecksSpec | false | undefined, pointer: string): FieldProblem[] =>
  said(
    checks === undefined || checks === false || checks.compare === undefined,
    `${pointer}/compare`,
    'is of no use at 100 %: the other side has no traffic any more',
  );

function doubled(checks: ChecksSpec | false | undefined, pointer: string): FieldProblem[] {
  const names = checks === undefined || checks === false ? [] : (checks.compare ?? []).map(({ name }) => name);
  return names.flatMap((name, index) =>
    said(names.indexOf(name) === index, `${pointer}/compare/${index}/name`, `is used twice: ${name}`),
  );
}

/** Where batches say how many pods are replaced, nothing else can. */
function batchClashes({ kind, batches, surge, unavailable }: RollingSpec): FieldProblem[] {
  if (kind !== 'StatefulSet' && batches === undefined) return [];
  const detail = 'is of no use with batches: their size says how many pods are replaced';
  return Object.entries({ surge, unavailable }).flatMap(([field, value]) =>
    value === undefined ? [] : [{ pointer: `/${field}`, detail }],
  );
}

/** Kubernetes refuses it too: neither a pod more nor a pod less, and nothing ever moves. */
function standstill({ surge, unavailable }: RollingSpec): FieldProblem[] {
  const none = (count: number | string | undefined): boolean => count === 0 || count === '0%';
  return none(surge) && none(unavailable)
    ? [{ pointer: '/unavailable', detail: 'must be above 0 where surge is 0: no pod could be replaced' }]
    : [];
}

/** A flag divides users; everything else brings a candidate up. */
function flagClashes(spec: CanarySpec): FieldProblem[] {
  const isFlag = spec.route.via === 'flag';
  const needed = ['images', 'service'] as const;
  const useless = [...needed, 'grace', 'drain', 'deadline'] as const;
  return isFlag
    ? useless
        .filter((field) => spec[field] !== undefined)
        .map((field) => ({ pointer: `/${field}`, detail: 'is of no use with a flag: no pods are brought up' }))
    : needed
        .filter((field) => spec[field] === undefined)
        .map((field) => ({ pointer: `/${field}`, detail: 'is missing' }));
}

/** A share that falls would be a way back, and one that ends below 100 % no release. */
function stepClashes({ steps = [] }: Pick<CanarySpec, 'steps'>): FieldProblem[] {
  return steps.flatMap((step, index): FieldProblem[] => {
    const before = steps[index - 1]?.weight ?? 0;
    const at = `/steps/${index}`;
    const rises = step.weight > before;
    const ends = index < steps.length - 1 || step.weight === 100;
    const falls = typeof step.onFail !== 'number' || step.onFail < step.weight;
    return [
      ...said(rises, `${at}/weight`, `must be above ${before}, the weight before: it is ${step.weight}`),
      ...said(ends, `${at}/weight`, `must be 100 in the last step: it is ${step.weight}`),
      ...said(falls, `${at}/onFail`, `must be below the step's own weight ${step.weight}: it is ${step.onFail ?? ''}`),
    ];
  });
}

/** Both sides under one name could not be told apart. */
function sameSides({ route, service }: Pick<CanarySpec, 'route' | 'service'>): FieldProblem[] {
  const { stable = service, candidate } = 'stable' in route || 'candidate' in route ? route : { candidate: undefined };
  return said(
    candidate === undefined || candidate !== stable,
    '/route/candidate',
    `must differ from the stable side: both are ${stable ?? ''}`,
  );
}

function sameCounters(seen: SeenSpec | false | undefined): FieldProblem[] {
  if (seen === undefined || seen === false || !('metrics' in seen)) return [];
  return said(seen.candidate !== seen.stable, '/seen/candidate', 'must differ from the query of the stable side');
}

/** Its name is all that tells a dependency from the others, in the status and from look to look. */
function sameNames({ dependencies = [] }: Pick<CanarySpec, 'dependencies'>): FieldProblem[] {
  const names = dependencies.map(({ name }) => name);
  return names.flatMap((name, index) =>
    said(names.indexOf(name) === index, `/dependencies/${index}/name`, `must differ from those of the others: ${name}`),
  );
}

function slotClashes({ slots, validate, running }: BlueGreenSpec): FieldProblem[] {
  const { tries = 30, needs = 3 } = validate ?? {};
  return [
    ...said(slots.blue !== slots.green, '/slots/green', `must be another Deployment than blue: both are ${slots.blue}`),
    ...said(needs <= tries, '/validate/needs', `must be at most ${tries}, the number of tries: it is ${needs}`),
    ...(running === undefined ? [] : sameCoordinators(running)),
  ];
}

/** One coordinator under two names would hide that nothing is told apart. */
function sameCoordinators(running: RunningSpec): FieldProblem[] {
  const { coordinators } = running;
  const services = 'finishOn' in running ? running.services : undefined;
  return [
    ...said(coordinators.blue !== coordinators.green, '/running/coordinators/green', 'must be another one than blue'),
    ...said(
      services?.blue !== services?.green || services === undefined,
      '/running/services/green',
      'must be another one than blue',
    ),
  ];
}

const said = (holds: boolean, pointer: string, detail: string): FieldProblem[] => (holds ? [] : [{ pointer, detail }]);
