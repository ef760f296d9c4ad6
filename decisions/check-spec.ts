import { acceptances, conflictPolicies, failurePolicies, misfitPolicies, strategies } from '../contracts/catalog.ts';
import type { FieldProblem } from '../contracts/api.ts';
import type { JointSpec, SimpleSpec, Spec, TableSpec } from '../contracts/spec.ts';
import { columnsNamed } from './change-names.ts';
import { checkFields, integer, list, object, oneOf, text, type Rule } from './check-fields.ts';
import { releaseRuleOf, servicePart } from './check-release-spec.ts';
import { nearest } from './nearest.ts';
import { modelClashes, releaseClashes } from './release-clashes.ts';
import { partSpecs } from './strategies/release.ts';
import { approver, duration, notify, specName as name, targetName, wordForms, yesNo } from './spec-words.ts';
import { parseTimes } from './times.ts';
import { expressionFault } from './sql/postgres/expression.ts';
import { isSwap } from './sql/postgres/changes/swap-type.ts';
import { parseColumn, parseName, parseQualified } from './sql/postgres/identifier.ts';

/** Either a spec that is well formed, or all that is wrong with it. */
export type SpecCheck =
  { readonly ok: true; readonly spec: Spec } | { readonly ok: false; readonly problems: readonly FieldProblem[] };

/** Reads a caller's wish and names every mistake at once. Whether the target can do it is the plan's question. */
export function checkSpec(value: unknown): SpecCheck {
  const problems = checkFields(value, '', unknownStrategy(value) ?? ruleOf(value));
  if (problems.length > 0) return { ok: false, problems };
  const spec = value as Spec; // every field of it was checked just now
  const clashes = clashesOf(spec);
  return clashes.length > 0 ? { ok: false, problems: clashes } : { ok: true, spec };
}

const ruleOf = (value: unknown): Rule => {
  const isJoint = typeof value === 'object' && value !== null && 'strategy' in value && value.strategy === 'release';
  return isJoint ? jointRule : (releaseRuleOf(value) ?? specRule);
};

/** What is wrong between fields that are each well formed. */
function clashesOf(spec: Spec): readonly FieldProblem[] {
  if (spec.strategy === 'release') return jointClashes(spec);
  if (spec.strategy === 'model-canary') return modelClashes(spec);
  return spec.strategy === 'expand-contract' ? tableClashes(spec) : releaseClashes(spec);
}

/** The same of each part; and no name may come to stand for something else while two versions are in service. */
const jointClashes = (spec: JointSpec): readonly FieldProblem[] =>
  partSpecs(spec).flatMap((part, index) => {
    const tables = spec.tables.length;
    const at = index < tables ? `/tables/${index}` : `/services/${index - tables}`;
    return clashesIn(part).map((problem) => ({ ...problem, pointer: `${at}${problem.pointer}` }));
  });

function clashesIn(part: SimpleSpec): readonly FieldProblem[] {
  if (part.strategy === 'expand-contract') return [...partClashes(part), ...swaps(part)];
  return part.strategy === 'model-canary' ? modelClashes(part) : releaseClashes(part);
}

const swaps = ({ changes }: TableSpec): FieldProblem[] =>
  changes.flatMap((change, index) =>
    'type' in change && isSwap(change)
      ? [
          {
            pointer: `/changes/${index}/to`,
            detail: 'must have a name of its own in a release: both versions of the service are there at the same time',
          },
        ]
      : [],
  );

const tableClashes = (spec: TableSpec): readonly FieldProblem[] => [...partClashes(spec), ...blindCutover(spec)];

const partClashes = (spec: TableSpec): readonly FieldProblem[] => [
  ...doubledColumns(spec),
  ...unacceptedSwap(spec),
  ...doubleProtection(spec),
];

/**
 * Which fields belong to a strategy that nobody knows is not for us to say, unless they are those of a table: else the only
 * problem is its name. Null: it is known.
 */
function unknownStrategy(value: unknown): Rule | null {
  if (typeof value !== 'object' || value === null || 'changes' in value) return null;
  const name = 'strategy' in value ? value.strategy : '';
  if (typeof name !== 'string' || name === '' || nearest(name, strategies) !== null) return null;
  return (_, pointer) => oneOf(strategies)(name, `${pointer}/strategy`);
}

/** A column that two changes name would be written by both. */
function doubledColumns(spec: TableSpec): FieldProblem[] {
  const seen = new Set<string>();
  return spec.changes.flatMap((change, index) =>
    columnsNamed(change).flatMap(({ field, name: column }): FieldProblem[] => {
      const doubled = seen.has(column);
      seen.add(column);
      return doubled
        ? [{ pointer: `/changes/${index}/${field}`, detail: `column ${column} is named twice in this spec` }]
        : [];
    }),
  );
}

/** A cutover is proof, or a person's word; never neither. */
function blindCutover({ changes, cutover }: TableSpec): FieldProblem[] {
  const moves = changes.some((change) => !('add' in change));
  if (!moves || cutover?.approve !== false || cutover.after !== undefined) return [];
  const detail = 'may be false only with cutover.after: somebody or something must say that the application has moved';
  return [{ pointer: '/cutover/approve', detail }];
}

/** Nobody can see the prepared statements of other sessions: one that reads a swapped column fails once. */
function unacceptedSwap({ changes, cutover }: TableSpec): FieldProblem[] {
  const swaps = changes.some((change) => 'type' in change && isSwap(change));
  if (!swaps || cutover?.accept === 'prepared-statement-errors') return [];
  const detail =
    'must be prepared-statement-errors where a type changes under its name: in sessions that have prepared a statement which reads the column, it fails once after the cutover';
  return [{ pointer: '/cutover/accept', detail }];
}

/** One source decides; two would have to be told apart when they disagree. */
function doubleProtection({ protect }: TableSpec): FieldProblem[] {
  if (protect?.metrics !== undefined && protect.probe === true) {
    return [{ pointer: '/protect/probe', detail: 'must not be true beside metrics: one of both decides' }];
  }
  const idle = protect?.probe === false && protect.metrics === undefined && protect.p99 !== undefined;
  return idle ? [{ pointer: '/protect/p99', detail: 'needs metrics, or the probe' }] : [];
}
const expression: Rule = text(expressionFault);
const column: Rule = text((value) =>
  parseColumn(value) === null
    ? 'must be a column name of at most 63 bytes and its type, such as amount_cents bigint'
    : null,
);
const columnName: Rule = text((value) =>
  parseName(value) === null ? 'must be a column name of at most 63 bytes' : null,
);
/** The drop of a column is a person's to allow: it can be said whose, not that nobody's. */
const approverAlways: Rule = (value, pointer) =>
  value === false
    ? [{ pointer, detail: 'must be true or the name of a group: what can not be taken back needs a person' }]
    : approver(value, pointer);

const addColumn = object({ add: column }, { up: expression, default: expression });
const leaveBehind = list(
  text((value) => (value === '' ? 'is empty' : null)),
  1,
  50,
);
const changeType = object(
  { type: columnName, to: column },
  { up: expression, down: expression, misfits: oneOf(misfitPolicies), leaveBehind },
);
const renameColumn = object({ rename: columnName, to: columnName }, { leaveBehind });
const dropColumn = object({ drop: columnName }, { down: expression });
const setNotNull = object({ notNull: columnName }, { up: expression });

/** The field by which each kind of change is known. */
const changeRules: readonly (readonly [field: string, rule: Rule])[] = [
  ['add', addColumn],
  ['type', changeType],
  ['drop', dropColumn],
  ['rename', renameColumn],
  ['notNull', setNotNull],
];
const change: Rule = (value, pointer) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return changeType(value, pointer);
  const rule = changeRules.find(([field]) => field in value)?.[1];
  if (rule !== undefined) return rule(value, pointer);
  return [{ pointer, detail: `must have one of the fields ${changeRules.map(([field]) => field).join(', ')}` }];
};

const tableFields = [
  {
    target: targetName,
    table: text((value) =>
      parseQualified(value) === null ? 'must be schema.table, each a name of at most 63 bytes' : null,
    ),
    changes: list(change, 1, 20),
  },
  {
    conflict: oneOf(conflictPolicies),
    backfill: object({}, { rate: integer(1, 10_000_000) }),
    protect: object(
      {},
      {
        metrics: text((value) => (wordForms.target.test(value) ? null : 'must be the name of a metrics source')),
        probe: yesNo,
        p99: text((value) => (parseTimes(value) === null ? 'must be a factor from 1.05x to 10x, such as 1.5x' : null)),
      },
    ),
    cutover: object(
      {},
      {
        after: text((value) => (value.trim() === '' ? 'is empty' : null)),
        approve: approver,
        accept: oneOf(acceptances),
      },
    ),
    contract: object(
      {},
      { after: duration, approve: approverAlways, notBy: oneOf(['author']), approvals: integer(1, 10) },
    ),
  },
] as const;
const specRule = object(
  { name, strategy: oneOf(strategies), ...tableFields[0] },
  { ...tableFields[1], onFailure: oneOf(failurePolicies), notify },
);
const jointRule = object(
  {
    name,
    strategy: oneOf(strategies),
    tables: list(object(tableFields[0], tableFields[1]), 1, 5),
    services: list(servicePart, 1, 5),
  },
  { onFailure: oneOf(failurePolicies), notify },
);
