import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

/** Texts of an example, and what stands in their place where it is run. */
export type Others = Readonly<Record<string, string>>;

/** A spec of `examples/` with other names, addresses and times; all else is as the file says. */
export async function exampleWith<T>(file: string, others: Others): Promise<T> {
  const text = await readFile(new URL(`../../examples/${file}`, import.meta.url), 'utf8');
  return replaced(parse(text), others) as T; // the API checks it once more
}

/** Replaces whole texts wherever they stand as a value. Fails for one that is not there: the example says something else by now. */
export function replaced(value: unknown, others: Others): unknown {
  const missing = new Set(Object.keys(others));
  const walk = (part: unknown): unknown => {
    if (typeof part === 'string') {
      missing.delete(part);
      return others[part] ?? part;
    }
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, walk(member)]));
  };
  const done = walk(value);
  if (missing.size > 0) throw new Error(`not in the example: ${[...missing].join(', ')}`);
  return done;
}
