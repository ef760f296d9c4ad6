import type { FieldProblem } from '../contracts/api.ts';
import type { DependentFacts, TableFacts } from '../contracts/facts.ts';
import type { TableSpec } from '../contracts/spec.ts';
import { nearest } from './nearest.ts';
import { defaultItem, notNullItem, speaksOfValues } from './sql/postgres/carry/carried.ts';
import type { Replacement } from './sql/postgres/changes/change.ts';
import { changesOf } from './sql/postgres/changes/index.ts';

/** What hangs on a column that is replaced and can't come along, each by name: nothing is lost in silence. */
export function carriedProblems(spec: TableSpec, facts: TableFacts, index: number): FieldProblem[] {
  const change = changesOf(spec, facts.columns).find((candidate) => candidate.index === index)?.replaces ?? null;
  if (change === null) return [];
  const pointer = `/changes/${index}/${change.kind === 'rename' ? 'rename' : 'type'}`;
  if (facts.dependents === undefined) return [{ pointer, detail: 'what hangs on the column could not be seen' }];
  const items = facts.dependents.filter(({ column }) => column === change.old.name);
  return [
    ...unknownNames(change, items, index),
    ...items
      .filter((item) => !isLeft(change, item))
      .flatMap((item) => {
        const fault = faultOf(change, item);
        return fault === null ? [] : [{ pointer, detail: `${item.description} ${fault}` }];
      }),
  ];
}

/** What the spec leaves behind has to be there, and be of a kind that goes with its column. */
function unknownNames({ leaveBehind }: Replacement, items: readonly DependentFacts[], index: number): FieldProblem[] {
  const known = [...items.filter(canStay).map(({ name }) => name), notNullItem, defaultItem];
  return leaveBehind.flatMap((name, place): FieldProblem[] => {
    if (known.includes(name)) return [];
    const near = nearest(name, known);
    const problem = {
      pointer: `/changes/${index}/leaveBehind/${place}`,
      detail: `${name} does not hang on the column, or can not be left behind`,
    };
    return [near === null ? problem : { ...problem, didYouMean: near }];
  });
}

const isLeft = ({ leaveBehind }: Replacement, item: DependentFacts): boolean =>
  canStay(item) && leaveBehind.includes(item.name);

/** Indexes and constraints go with their column; a primary key is more than that. */
const canStay = ({ kind, description }: DependentFacts): boolean =>
  ['index', 'unique', 'check', 'foreign key', 'reference', 'statistics', 'default'].includes(kind) ||
  (kind === 'other' && /^(?:index|constraint) /.test(description));

function faultOf(change: Replacement, item: DependentFacts): string | null {
  const { kind, refused } = item;
  // a column of another name and type brings along what it can; what points at the old one would keep it from going
  if (change.kind === 'type' && kind !== 'reference') return null;
  if (kind === 'other') return otherFault(item);
  if (refused === '42501') return 'belongs to a role of which ours is no member: it can not be brought along';
  if (refused !== null)
    return `can not be brought along: the server does not take it for the new column [SQLSTATE ${refused}]; leaveBehind may name it`;
  if (!speaksOfValues(change, item) && !defaultSpeaks(change, item)) return null;
  return 'holds constants or functions that were written for the old values: name it in leaveBehind, and make it anew for the new ones';
}

function otherFault(item: DependentFacts): string {
  const fault = 'hangs on the column and can not be brought along';
  return canStay(item) ? `${fault}, or hangs on two columns that both change; leaveBehind may name it` : fault;
}

const defaultSpeaks = ({ keepsValue, old }: Replacement, { kind }: DependentFacts): boolean =>
  kind === 'default' && !keepsValue && old.constantDefault === null;
