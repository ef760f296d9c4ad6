import { acceptances, conflictPolicies, failurePolicies, misfitPolicies, strategies } from '../contracts/catalog.ts';
import type { FieldProblem } from '../contracts/api.ts';
import type { Spec, TableSpec } from '../contracts/spec.ts';
import { columnsNamed } from './change-names.ts';
import { checkFields, integer, list, object, oneOf, text, type Rule } from './check-fields.ts';
import { parseDuration } from './duration.ts';
import { parseTimes } from './times.ts';
import { expressionFault } from './sql/postgres/expression.ts';
import { isSwap } from './sql/postgres/changes/swap-type.ts';
import { parseColumn, parseName, parseQualified } from './sql/postgres/identifier.ts';

/** Either a spec that is well formed, or all that is wrong with it. */
export type SpecCheck =
  { readonly ok: true; readonly spec: Spec } | { readonly ok: false; readonly problems: readonly FieldProblem[] };

/** Reads a caller's wish and names every mistake at once. Whether the target can do it is the plan's question. */
export function checkSpec(value: unknown): SpecCheck {
  const problems = checkFields(value, '', isRolling(value) ? rollingRule : specRule);
  if (problems.length > 0) return { ok: false, problems };
  const spec = value as Spec; // every field of it was checked just now
  if (spec.strategy === 'rolling') return { ok: true, spec };
  const clashes = [...doubledColumns(spec), ...blindCutover(spec), ...unacceptedSwap(spec), ...doubleProtection(spec)];
  return clashes.length > 0 ? { ok: false, problems: clashes } : { ok: true, spec };
}

const isRolling = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'strategy' in value && value.strategy === 'rolling';

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
/** What names look like; the JSON Schema of the spec says the same. */
export const wordForms = {
  name: /^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?$/,
  target: /^[\w.-]{1,60}$/,
  group: /^[\w.@-]{1,60}$/,
  workload: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/,
  container: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  image: /^[\w.@:/-]{1,255}$/,
} as const;

const name: Rule = text((value) =>
  wordForms.name.test(value)
    ? null
    : 'must be 1 to 50 lower-case letters, digits and dashes, neither first nor last a dash',
);
const duration: Rule = text((value) => {
  const ms = parseDuration(value);
  if (ms === null) return 'is not a duration; write 90s, 12h, 7d or P7D';
  return ms > maxGraceMs ? 'is longer than a year' : null;
});
const maxGraceMs = 366 * 86_400_000;
const expression: Rule = text(expressionFault);
const yesNo: Rule = (value, pointer) =>
  typeof value === 'boolean' ? [] : [{ pointer, detail: 'must be true or false' }];
const column: Rule = text((value) =>
  parseColumn(value) === null
    ? 'must be a column name of at most 63 bytes and its type, such as amount_cents bigint'
    : null,
);
const columnName: Rule = text((value) =>
  parseName(value) === null ? 'must be a column name of at most 63 bytes' : null,
);
const approver: Rule = (value, pointer) => {
  if (typeof value === 'boolean') return [];
  return text((group) => (wordForms.group.test(group) ? null : 'must be true, false or the name of a group'))(
    value,
    pointer,
  );
};

/** The drop of a column is a person's to allow: it can be said whose, not that nobody's. */
const approverAlways: Rule = (value, pointer) =>
  value === false
    ? [{ pointer, detail: 'must be true or the name of a group: what can not be taken back needs a person' }]
    : approver(value, pointer);

/** One image or more, by container. */
const imagesOf =
  (rule: Rule): Rule =>
  (value, pointer) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
      return [{ pointer, detail: 'must be an object of one image or more by the name of its container' }];
    return Object.entries(value).flatMap(([key, item]) =>
      wordForms.container.test(key)
        ? rule(item, `${pointer}/${key}`)
        : [{ pointer, detail: `has a name that is not a container\u2019s: ${key.slice(0, 70)}` }],
    );
  };

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

const specRule = object(
  {
    name,
    strategy: oneOf(strategies),
    target: text((value) => (wordForms.target.test(value) ? null : 'must be the name of a target')),
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
    onFailure: oneOf(failurePolicies),
  },
);

const image: Rule = text((value) =>
  wordForms.image.test(value) ? null : 'must be the name of an image, without spaces, such as repo/app:1.2',
);
const podCount: Rule = (value, pointer) =>
  typeof value === 'string' && /^(?:100|[1-9]?\d)%$/.test(value)
    ? []
    : integer(0, 1_000)(value, pointer).map((problem) => ({
        ...problem,
        detail: 'must be a whole number from 0 to 1000, or a percentage such as 25%',
      }));

const rollingRule = object(
  {
    name,
    strategy: oneOf(strategies),
    target: text((value) => (wordForms.target.test(value) ? null : 'must be the name of a target')),
    workload: text((value) => (wordForms.workload.test(value) ? null : 'must be namespace/name of a Deployment')),
    images: imagesOf(image),
  },
  {
    surge: podCount,
    unavailable: podCount,
    grace: duration,
    drain: duration,
    deadline: duration,
    approve: approver,
    onFailure: oneOf(failurePolicies),
  },
);
