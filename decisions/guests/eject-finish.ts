import type { StageKind } from '../../contracts/catalog.ts';
import type { BuildStep, ContractStage, RowCheck, Stage, StageOf } from '../../contracts/plan.ts';
import { literal } from '../sql/postgres/identifier.ts';
import { backfill } from './eject-backfill.ts';
import {
  altered,
  bound,
  isDone,
  forNow,
  longOf,
  longSteps,
  notRemembered,
  quoted,
  release,
  remember,
  step,
  tries,
  type Ejected,
} from './eject-blocks.ts';

/** Does what is left, stage by stage, as the service would have done; what is in place is left alone. */
export function finishSteps(ejected: Ejected): readonly string[] {
  const contracts = ejected.plan.stages.filter((stage) => stage.kind === 'contract');
  return [
    ...ejected.plan.stages.flatMap((stage) => stepsOf(stage, ejected)),
    release(
      ejected,
      contracts.map(({ perform }) => `NOT ${isDone(perform, ejected)}`),
    ),
  ];
}

type StepsOf = { readonly [K in StageKind]: (stage: StageOf<K>, ejected: Ejected) => readonly string[] };

const finishing: StepsOf = {
  preflight: () => [],
  expand: ({ perform, title }, ejected) => [step(ejected, `expand: ${title}`, [tries], altered(perform, ejected))],
  backfill: (stage, ejected) => (stage.needed ? backfill(stage, ejected, unlessBuilt(ejected)) : []),
  build: ({ steps }, ejected) => steps.flatMap((one) => buildSteps(one, ejected)),
  // compared right before the drop, in the same session
  verify: () => [],
  cutover: ({ perform, performLong, title }, ejected) => [
    step(ejected, `cutover: ${title}`, [tries], [...unlessBackfilled(ejected), ...altered(perform, ejected)]),
    ...longSteps(ejected, performLong ?? [], 'cutover', unlessContracted(ejected)),
  ],
  grace: () => [],
  roll: () => [],
  candidate: () => [],
  validate: () => [],
  shift: () => [],
  keep: () => [],
  drain: () => [],
  retire: () => [],
  scaling: () => [],
  shadow: () => [],
  alias: () => [],
  contract: (stage, ejected) => [
    ...compare(stage, ejected),
    contract(stage, ejected),
    ...longSteps(ejected, stage.performLong ?? [], 'contract', unlessDone(stage, ejected)),
  ],
};

function stepsOf(stage: Stage, ejected: Ejected): readonly string[] {
  // The record has one function a kind, each for its own stage; TypeScript can't see that the key and the argument agree.
  const steps = finishing[stage.kind] as (stage: Stage, ejected: Ejected) => readonly string[];
  return steps(stage, ejected);
}

const contractOf = ({ plan }: Ejected): ContractStage | undefined =>
  plan.stages.find((stage): stage is ContractStage => stage.kind === 'contract');

/** What comes after the drop makes no sense before it. */
const unlessDone = ({ perform }: ContractStage, ejected: Ejected): string[] => [
  `IF NOT ${isDone(perform, ejected)} THEN RAISE EXCEPTION 'the old shape has not been removed'; END IF;`,
];

/** Nothing is left to rewrite or to build once the new shape leads; what was built has other names then. */
const unlessBuilt = (ejected: Ejected): string[] => [
  ...unlessContracted(ejected),
  ...ejected.plan.stages.flatMap((stage) =>
    stage.kind === 'cutover' ? [`IF ${isDone(stage.perform, ejected)} THEN RETURN; END IF;`] : [],
  ),
];

/** An index is made beside the application's work only outside of any transaction: there a person has to make it. */
function buildSteps(one: BuildStep, ejected: Ejected): readonly string[] {
  if (one.step === 'alter') return [step(ejected, `build: ${one.title}`, [tries], altered(one.alteration, ejected))];
  if (one.step === 'long') return longSteps(ejected, one.statements, 'build', unlessBuilt(ejected));
  const { name, probe, create } = one.index;
  const make = `RAISE EXCEPTION 'index % is not there: run this outside of a transaction, then this script again: %', ${literal(name)}, ${literal(create.sql)};`;
  return [
    step(
      ejected,
      `build: ${one.title} has to be there`,
      ['eject_ready boolean;'],
      [
        ...unlessBuilt(ejected),
        `SELECT ready INTO eject_ready FROM (${bound(probe, ejected)}) AS probe;`,
        `IF eject_ready IS NOT TRUE THEN ${make} END IF;`,
      ],
    ),
  ];
}

/** Nothing is left to do of a stage when the old shape is gone. */
const unlessContracted = (ejected: Ejected): string[] => {
  const stage = contractOf(ejected);
  return stage === undefined ? [] : [`IF ${isDone(stage.perform, ejected)} THEN RETURN; END IF;`];
};

const unlessBackfilled = (ejected: Ejected): string[] =>
  ejected.plan.stages.some((stage) => stage.kind === 'backfill' && stage.needed)
    ? [
        ...unlessBuilt(ejected),
        `IF ${notRemembered('backfilled', ejected)} THEN RAISE EXCEPTION 'the backfill has not ended in this session'; END IF;`,
      ]
    : [];

/** The last full comparison; one row that differs keeps the old shape. */
function compare({ check }: ContractStage, ejected: Ejected): readonly string[] {
  if (check === null) return [];
  const declared = ['eject_seen record;', ...keysOf(check).map((key) => `${key} text;`)];
  return [
    step(
      ejected,
      'both shapes of every row are compared, in one reading; nothing is dropped while one row differs',
      declared,
      [
        ...unlessContracted(ejected),
        ...(check.session ?? []).map(forNow),
        ...lastKey(check, ejected),
        'BEGIN',
        `  ${run(check, 'fast')}`,
        'EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN',
        ...check.prepare.map((statement) => `  EXECUTE ${quoted(bound(statement, ejected))};`),
        `  ${run(check, 'slow')}`,
        'END;',
        `RAISE NOTICE '% rows compared, % differ, % live only in the new shape', eject_seen.seen, eject_seen.wrong, eject_seen.lossy;`,
        `IF eject_seen.wrong > 0 THEN RAISE EXCEPTION '% of % rows differ, nothing is dropped; first keys: %', eject_seen.wrong, eject_seen.seen, eject_seen.keys; END IF;`,
        remember('compared', ejected),
      ],
    ),
  ];
}

const keysOf = ({ slices }: RowCheck): string[] =>
  slices.by === 'pages' ? [] : slices.key.map((_, index) => `eject_k${index}`);

/** By keys the reading needs an upper bound; a table without rows has none, and nothing to compare. */
function lastKey(check: RowCheck, ejected: Ejected): string[] {
  const { slices } = check;
  if (slices.by === 'pages') return [];
  const keys = keysOf(check);
  return [
    `EXECUTE ${quoted(slices.last.sql)} INTO ${keys.join(', ')};`,
    `IF eject_k0 IS NULL THEN ${remember('compared', ejected)} RETURN; END IF;`,
  ];
}

function run(check: RowCheck, how: 'fast' | 'slow'): string {
  const { slices } = check;
  if (slices.by === 'pages')
    return `EXECUTE ${quoted(check[how].sql)} INTO eject_seen USING '(0,0)'::text, '(4294967294,0)'::text;`;
  const rest = how === 'fast' ? slices.fastRest : slices.slowRest;
  return `EXECUTE ${quoted(rest.sql)} INTO eject_seen USING ${keysOf(check).join(', ')};`;
}

const contract = ({ perform, check, title }: ContractStage, ejected: Ejected): string => {
  const wanted = [...(check === null ? [] : ['compared']), ...cutoverWords(ejected)];
  const missing = wanted.map((word) => notRemembered(word, ejected)).join(' OR ');
  return step(
    ejected,
    `contract: ${title}. There is no way back from here.`,
    [tries],
    [
      ...unlessContracted(ejected),
      ...(missing === ''
        ? []
        : [
            `IF ${missing} THEN RAISE EXCEPTION 'a step before this one has failed in this session: nothing is dropped'; END IF;`,
          ]),
      ...altered(perform, ejected),
    ],
  );
};

const cutoverWords = ({ plan }: Ejected): string[] =>
  plan.stages.flatMap((stage) =>
    stage.kind === 'cutover' ? longOf(stage.performLong ?? []).map((_, index) => `cutover_${index}`) : [],
  );
