import type { StageKind } from '../../contracts/catalog.ts';
import type { Protection } from '../../contracts/protection.ts';
import type { Alteration, BuildStep, Plan, RowCheck, Stage, StageOf, Statement } from '../../contracts/plan.ts';

type ProbeStatements = Extract<Protection['by'], { kind: 'probe' }>;

interface Part {
  readonly heading: string;
  readonly statements: readonly Statement[];
}

/** Every statement that will run, trigger bodies included, as one script with a comment before each: for who has to say yes. */
export function renderPlanSql(plan: Plan): string {
  const stages = plan.stages.flatMap((stage) => {
    const parts = partsOf(stage).filter(({ statements }) => statements.length > 0);
    return parts.length === 0 ? [] : [`-- ── ${stage.name} ──`, ...parts.map(renderPart)];
  });
  return [
    `-- ${plan.name} · ${plan.strategy} on ${plan.target} · plan ${plan.hash}`,
    '-- $1, $2 … are bound when a statement runs; the note of each says to what.',
    ...stages,
  ].join('\n\n');
}

function renderPart({ heading, statements }: Part): string {
  return statements
    .map(
      ({ id, sql, note }) =>
        `-- ${heading} · ${id}: ${note.replaceAll('\n', ' ')}\n${sql.trimEnd().replace(/;$/, '')};`,
    )
    .join('\n\n');
}

const probeOf = ({ prepare, keys, one, commit }: ProbeStatements): readonly Statement[] => [
  ...prepare,
  keys,
  one,
  ...(commit === undefined ? [] : [commit]),
];

type PartsOf = { readonly [K in StageKind]: (stage: StageOf<K>) => readonly Part[] };

const partsByKind: PartsOf = {
  preflight: ({ looks, everyRow }) => [{ heading: 'look', statements: looks }, ...checkParts('every row', everyRow)],
  expand: ({ perform, undo, undoLong }) => [
    ...alterationParts('perform', perform),
    ...undo.flatMap((alteration) => alterationParts('undo', alteration)),
    { heading: 'undo, outside any short lock', statements: undoLong },
  ],
  backfill: ({ needed, session, chunk, parts, barrier, presence, signals = [], protect, vacuum }) =>
    needed
      ? [
          { heading: 'session', statements: session },
          { heading: 'again and again', statements: [inPasses(chunk, parts), barrier] },
          { heading: 'once a second', statements: [presence, ...signals] },
          {
            heading: 'on the way',
            statements: vacuum === undefined ? [] : [...vacuum.settings, vacuum.gently, vacuum.run],
          },
          {
            heading: 'our own probe',
            statements: protect?.by.kind === 'probe' ? probeOf(protect.by) : [],
          },
        ]
      : [],
  build: ({ steps, undo }) => [
    ...steps.flatMap(stepParts),
    ...undo.flatMap((alteration) => alterationParts('undo', alteration)),
  ],
  verify: ({ check }) => checkParts('check', check),
  cutover: ({ perform, performLong = [], undo, wayBack, check = null }) => [
    ...checkParts('once more', check),
    ...alterationParts('perform', perform),
    ...undo.flatMap((alteration) => alterationParts('undo', alteration)),
    { heading: 'afterwards', statements: performLong },
    { heading: 'way back', statements: [wayBack] },
  ],
  grace: ({ wayBack, check }) => [{ heading: 'way back', statements: [wayBack] }, ...checkParts('check', check)],
  contract: ({ perform, performLong = [], evidence, check }) => [
    { heading: 'evidence', statements: evidence },
    ...checkParts('last check', check),
    ...alterationParts('perform', perform),
    { heading: 'afterwards', statements: performLong },
  ],
  // nothing of it is SQL
  roll: () => [],
  candidate: () => [],
  validate: () => [],
  shift: () => [],
  keep: () => [],
  drain: () => [],
  retire: () => [],
  scaling: () => [],
  alias: () => [],
  shadow: () => [],
};

function partsOf(stage: Stage): readonly Part[] {
  // The record has one function a kind, each for its own stage; TypeScript can't see that the key and the argument agree.
  const parts = partsByKind[stage.kind] as (stage: Stage) => readonly Part[];
  return parts(stage);
}

/** The chunk stands once; what differs from pass to pass is said beside it. */
const inPasses = (chunk: Statement, parts: readonly string[] = []): Statement =>
  parts.length === 0 ? chunk : { ...chunk, note: `${chunk.note}: ${parts.join(' · ')}` };

function stepParts(step: BuildStep): readonly Part[] {
  if (step.step === 'alter') return alterationParts(step.title, step.alteration);
  if (step.step === 'long') return [{ heading: step.title, statements: step.statements }];
  const { session, probe, create, drop } = step.index;
  return [
    { heading: `${step.title}, session`, statements: session },
    { heading: `${step.title}, is it there already`, statements: [probe] },
    { heading: step.title, statements: [create] },
    { heading: `${step.title}, after an interruption`, statements: [drop] },
  ];
}

const alterationParts = (heading: string, { done, statements }: Alteration): readonly Part[] => [
  { heading: `${heading}, is it done already`, statements: [done] },
  { heading: `${heading}, one transaction`, statements },
];

function checkParts(heading: string, check: RowCheck | null): readonly Part[] {
  if (check === null) return [];
  const { slices } = check;
  const { glance, fast, slow } = check;
  const looks = (...statements: readonly (Statement | undefined)[]): readonly Statement[] =>
    statements.filter((statement) => statement !== undefined);
  const cuts = slices.by === 'pages' ? [slices.size] : [slices.last, slices.next];
  const rest = slices.by === 'pages' ? [] : looks(slices.glanceRest, slices.fastRest, slices.slowRest);
  return [
    { heading: `${heading}, once a session`, statements: check.prepare },
    { heading: `${heading}, slices`, statements: cuts },
    { heading: `${heading}, each slice`, statements: looks(glance, fast, slow) },
    { heading: `${heading}, the last slice`, statements: rest },
  ];
}
