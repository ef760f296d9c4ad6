import type { Json } from '../../contracts/json.ts';

/** A heap as the barrier shows it: a plain table, or a leaf of a partitioned one. */
export interface Heap {
  /** Its oid as text; empty in plans that know one heap only. */
  readonly heap: string;
  /** Quoted, with its schema. */
  readonly name: string;
  readonly pages: number;
  /** Another one after each rewrite or truncation; never one that was there before. */
  readonly filenode: string;
  /** What is not as the plan expects it, or null. */
  readonly fault: string | null;
  readonly guard: Guard | null;
}

/** What the work on a heap rests on. Trigger and function differ from then on if anybody touches them. */
export interface Guard {
  readonly trigger: string;
  readonly function: string;
  /** Type by column. */
  readonly columns: Readonly<Record<string, string>>;
}

/** What was known of a heap when its ranges were made. */
export interface Known {
  readonly filenode: string;
  readonly guard: Guard | null;
}

export type Difference =
  | { readonly kind: 'none' }
  /** Rows may have come in unconverted, or have other places: all of the heap is gone over again. */
  | { readonly kind: 'again'; readonly because: string }
  /** Nothing that we could mend. */
  | { readonly kind: 'drift'; readonly because: string };

/** What has happened to a heap since its ranges were made. */
export function compare(known: Known, { name, filenode, fault, guard }: Heap): Difference {
  const broken = fault ?? columnFault(known.guard, guard);
  if (broken !== null) return { kind: 'drift', because: broken };
  if (known.filenode !== filenode) return { kind: 'again', because: `${name} was rewritten or truncated` };
  return touched(known.guard, guard)
    ? { kind: 'again', because: `the trigger on ${name} was touched and is at its post again` }
    : { kind: 'none' };
}

function columnFault(known: Guard | null, now: Guard | null): string | null {
  if (known === null || now === null) return null;
  const retyped = Object.entries(known.columns).find(([column, type]) => now.columns[column] !== type);
  if (retyped === undefined) return null;
  const [column, type] = retyped;
  return `column ${column}: expected ${type}, is ${now.columns[column] ?? 'gone'}`;
}

const touched = (known: Guard | null, now: Guard | null): boolean =>
  known !== null && now !== null && (known.trigger !== now.trigger || known.function !== now.function);

/** Reads a guard as the barrier gave it or as it was stored. */
export function guardOf(value: Json | undefined): Guard | null {
  const fields = fieldsOf(value);
  const text = (name: string): string => textOf(fields.get(name));
  if (!fields.has('trigger')) return null;
  const columns = [...fieldsOf(fields.get('columns'))].map(([name, type]): [string, string] => [name, textOf(type)]);
  return { trigger: text('trigger'), function: text('function'), columns: Object.fromEntries(columns) };
}

const fieldsOf = (value: Json | undefined): ReadonlyMap<string, Json> =>
  new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
