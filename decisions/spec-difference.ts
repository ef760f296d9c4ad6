import type { FieldProblem } from '../contracts/api.ts';
import { canonicalJson } from './hash.ts';

/** Where a spec differs from the one that is under way, field by field; `pointer` is where the spec stands. */
export function specDifference(underWay: unknown, here: unknown, pointer: string): FieldProblem[] {
  const [before, after] = [childrenOf(underWay), childrenOf(here)];
  if (before === null || after === null) return leaf(underWay, here, pointer);
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) =>
    specDifference(before.get(name), after.get(name), `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
}

function leaf(underWay: unknown, here: unknown, pointer: string): FieldProblem[] {
  if (here === undefined) return [{ pointer, detail: `is not here; under way it is ${shown(underWay)}` }];
  if (underWay === undefined) return [{ pointer, detail: `is ${shown(here)} here; under way there is none` }];
  if (canonicalJson(underWay) === canonicalJson(here)) return [];
  return [{ pointer, detail: `is ${shown(here)} here; under way it is ${shown(underWay)}` }];
}

/** Fields of an object and items of a list by their name; null: it has none. */
function childrenOf(value: unknown): ReadonlyMap<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  return new Map<string, unknown>(Object.entries(value));
}

const shown = (value: unknown): string => {
  const text = canonicalJson(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
};
