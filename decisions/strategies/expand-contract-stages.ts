import type { ApprovalNeed } from '../../contracts/approval-need.ts';
import type { TableFacts } from '../../contracts/facts.ts';
import type {
  BackfillStage,
  BuildStage,
  ContractStage,
  CutoverStage,
  ExpandStage,
  GraceStage,
  PreflightStage,
  VerifyStage,
} from '../../contracts/plan.ts';
import type { Protection } from '../../contracts/protection.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import * as alterations from '../sql/postgres/alterations.ts';
import { passesFor } from '../pace/passes.ts';
import { backfillSession, chunk, countsUp, horizon, partsOf, presence, vacuum } from '../sql/postgres/backfill.ts';
import { barrier } from '../sql/postgres/barrier.ts';
import { isConverting, isJudged, isSynced, type Change, type Lead } from '../sql/postgres/changes/change.ts';
import { buildSteps, buildsNotNull, undoBuild } from '../sql/postgres/carry/build.ts';
import type { Carried } from '../sql/postgres/carry/carried.ts';
import { checkReturned, lateNotNull } from '../sql/postgres/carry/exchange.ts';
import { takeOver } from '../sql/postgres/carry/take-over.ts';
import { evidenceLooks, preflightLooks, wayBack } from '../sql/postgres/looks.ts';
import { conversionCheck, equalityCheck } from '../sql/postgres/row-check.ts';
import type { Ours } from '../sql/postgres/ours.ts';
import { giveBackNotNull, takeOverNotNull } from '../sql/postgres/not-null.ts';
import { probeStatements, signals } from '../sql/postgres/signals.ts';
import { parseTimes } from '../times.ts';

/** What every stage is made of. */
export interface StageInput {
  readonly spec: TableSpec;
  readonly facts: TableFacts;
  readonly oid: number;
  readonly ours: Ours;
  readonly changes: readonly Change[];
  /** The same as names are after the cutover: of columns that keep theirs, and of the key. */
  readonly after: { readonly ours: Ours; readonly changes: readonly Change[] };
  readonly carried: readonly Carried[];
}

const day = 86_400_000;
/** Rows per second that the estimate reckons with: a modest server under load. */
const rate = { backfill: 60_000, check: 500_000 };
/** Rows that came in without our trigger are the backfill's to convert; it knows which heaps it has to go over again. */
const retryFrom = { retryFrom: 'backfill' };
const converts = ({ changes }: StageInput): boolean => changes.some(isConverting);
const judges = ({ changes }: StageInput): boolean => changes.some(isJudged);
const reads = (input: StageInput): number | null => (judges(input) ? duration(input, rate.check) : 0);
/** Who wins until the cutover, where a write sets both shapes and they disagree. */
const leadBefore = ({ spec }: StageInput): Lead => (spec.conflict === 'new-wins' ? 'new' : 'old');
const altered = (input: StageInput): alterations.Altered => ({
  ours: input.ours,
  changes: input.changes,
  changesAfter: input.after.changes,
  carried: input.carried,
  columnSettings: input.facts.columnSettings ?? [],
  lead: leadBefore(input),
});
const duration = (input: StageInput, rowsPerSecond: number): number | null => {
  return input.facts.rows === null ? null : Math.round((input.facts.rows / rowsPerSecond) * 1_000);
};

/** Looks at everything that could forbid the change, before anything is touched. */
export const preflight = (input: StageInput): PreflightStage => ({
  kind: 'preflight',
  name: 'preflight',
  title: `rights, triggers, readers${judges(input) ? '; every row through up and down' : ''}`,
  undoTitle: 'nothing was touched',
  approve: null,
  estimateMs: reads(input),
  looks: preflightLooks(input.spec, input.ours, input.oid),
  everyRow: conversionCheck(input.ours, input.changes),
});

/** The new columns and the trigger that keeps both shapes true. */
export const expand = (input: StageInput): ExpandStage => ({
  kind: 'expand',
  name: 'expand',
  title: `${input.changes.map(({ title }) => title).join(', ')}${input.changes.some(isSynced) ? '; trigger' : ''}`,
  undoTitle: 'drop what was added',
  approve: null,
  estimateMs: 10,
  perform: alterations.expand(altered(input)),
  undo: alterations.undoExpand(altered(input)),
  undoLong: [
    ...giveBackNotNull(input.ours, [
      ...alterations.liftedOf(input.changes),
      ...alterations.liftedBySwaps(input.carried),
    ]),
    ...checkReturned(input.ours, swaps(input)),
  ],
});

/** The rows that are there. */
export const backfill = (input: StageInput): BackfillStage => {
  const { ours, oid, changes, facts } = input;
  const cuts = passesFor({ rowsPerPage: rowsPerPage(facts), fillfactor: facts.fillfactor, even: countsUp(ours.key) });
  return {
    kind: 'backfill',
    name: 'backfill',
    title: converts(input) ? 'rewrite the rows that are there, in place' : 'nothing to rewrite',
    undoTitle: 'nothing to take back',
    approve: null,
    estimateMs: converts(input) ? duration(input, rate.backfill) : 0,
    needed: converts(input),
    session: backfillSession(ours),
    shards: { atMost: 4, minPages: 4_096 },
    chunk: converts(input) ? chunk(ours, oid, changes) : { id: 'chunk', note: 'nothing to rewrite', sql: '' },
    barrier: barrier(ours, oid, changes, leadBefore(input)),
    presence,
    horizon,
    ...(converts(input)
      ? { signals: signals(ours, input.facts.serverVersion), protect: protection(input), vacuum: vacuum(ours) }
      : {}),
    stripes: cuts.length - 1,
    parts: partsOf(ours, cuts),
    superPages: 2_048,
    rowsPerPage: Math.round(rowsPerPage(input.facts) * 10) / 10,
    rate: input.spec.backfill?.rate ?? null,
    sliceMs: 60_000,
  };
};

/** What hangs on the old columns, made on the new ones; null: no column replaces another. */
export function build(input: StageInput): BuildStage | null {
  if (input.carried.length === 0) return null;
  const steps = buildSteps(input.ours, input.carried);
  const indexes = steps.filter(({ step }) => step === 'index').length;
  return {
    kind: 'build',
    name: 'build',
    title: titleOfBuild(input.carried, indexes),
    undoTitle: 'remove what was made',
    approve: null,
    // a scan for the statistics, and a sort for each index
    estimateMs: duration(input, rate.check / (1 + 2 * indexes)),
    steps,
    undo: undoBuild(input.ours, input.carried),
  };
}

function titleOfBuild(carried: readonly Carried[], indexes: number): string {
  const items = carried.flatMap(({ items }) => items.map(({ kind }) => kind));
  const constraints = items.filter((kind) => ['check', 'foreign key', 'reference', 'unique'].includes(kind)).length;
  const count = (n: number, what: string): string[] => (n === 0 ? [] : [`${n} ${what}${n === 1 ? '' : 's'}`]);
  const parts = [
    ...count(indexes, 'index').map((text) => text.replace('indexs', 'indexes')),
    ...count(constraints, 'constraint'),
    ...(carried.some(buildsNotNull) ? ['NOT NULL'] : []),
    'statistics',
  ];
  return `${parts.join(', ')} of the new column${carried.length === 1 ? '' : 's'}, beside the application\u2019s work`;
}

/** The application's p99 may be half as long again as it is without us, unless the spec says otherwise. */
function protection({ spec: { protect = {} }, ours, oid }: StageInput): Protection | null {
  const p99 = parseTimes(protect.p99 ?? '') ?? 1.5;
  if (protect.metrics !== undefined) return { p99, by: { kind: 'metrics', source: protect.metrics } };
  return protect.probe === false ? null : { p99, by: { kind: 'probe', ...probeStatements(ours, oid) } };
}

/** Every row, by other ranges and other code than the copy. */
export const verify = (input: StageInput): VerifyStage => ({
  kind: 'verify',
  name: 'verify',
  title: judges(input) ? 'compare both shapes of every row' : 'nothing to compare',
  undoTitle: 'nothing to take back',
  approve: null,
  estimateMs: reads(input),
  check: equalityCheck(input.ours, input.changes),
  ...retryFrom,
});

/** The moment from which the new shape leads. */
export function cutover(input: StageInput, approve: ApprovalNeed | null): CutoverStage {
  const after = input.spec.cutover?.after ?? null;
  return {
    kind: 'cutover',
    name: 'cutover',
    title: `${swaps(input).length === 0 ? '' : 'the columns exchange their names, '}the new shape leads${after === null ? '' : ` once ${after} is deployed`}; the old one stays true`,
    undoTitle: 'one transaction, no row lost; the old shape leads again',
    approve,
    estimateMs: 5,
    perform: alterations.cutover(altered(input)),
    performLong: [
      ...takeOverNotNull(input.ours, alterations.setsNotNullOf(input.changes)),
      ...lateNotNull(input.ours, swaps(input)),
    ],
    undo: alterations.undoCutover(altered(input)),
    check: approve === null && after === null ? null : equalityCheck(input.ours, input.changes),
    after,
    wayBack: wayBack(input.ours),
    ...retryFrom,
  };
}

/** Both shapes are kept, and looked at. */
export const grace = (input: StageInput, forMs: number): GraceStage => ({
  kind: 'grace',
  name: 'grace',
  title: 'both shapes are kept',
  undoTitle: 'nothing to take back',
  approve: null,
  estimateMs: forMs,
  forMs,
  wayBack: wayBack(input.after.ours),
  check: equalityCheck(input.after.ours, input.after.changes),
  cadenceMs: cadence(forMs),
});

/** The old shape goes. */
export const contract = (input: StageInput, approve: ApprovalNeed | null): ContractStage => ({
  kind: 'contract',
  name: 'contract',
  title: titleOfContract(input.after.changes),
  undoTitle: null,
  approve,
  estimateMs: 10,
  perform: alterations.contract(altered(input)),
  performLong: takeOver(input.ours, input.carried).long,
  evidence: evidenceLooks(input.after.ours, input.oid, input.after.changes, carriedOids(input)),
  check: equalityCheck(input.after.ours, input.after.changes),
});

const swaps = ({ carried, after }: StageInput) => alterations.swapsOf({ carried, changesAfter: after.changes });

/** What goes with the old column is there on the new one already. */
const carriedOids = ({ carried }: StageInput): readonly number[] =>
  carried.flatMap(({ items, dropped }) => [...items, ...dropped].map(({ oid }) => oid));

const titleOfContract = (changes: readonly Change[]): string => {
  const old = alterations.droppedOf(changes);
  return old.length === 0 ? 'remove what is ours' : `DROP COLUMN ${old.join(', ')}`;
};

/** Looks at 1 min, 10 min, 1 h, 6 h, then daily after the cutover; of a short grace, at quarters. */
const cadence = (graceMs: number): readonly number[] =>
  graceMs < 4 * 60_000 ? [Math.max(500, graceMs / 4)] : [60_000, 600_000, 3_600_000, 21_600_000, day];

const rowsPerPage = ({ rows, pages }: TableFacts): number =>
  rows !== null && pages !== null && pages > 0 ? Math.max(1, rows / pages) : 50;
