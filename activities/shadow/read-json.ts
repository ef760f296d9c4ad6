/** JSON as it is compared: integers that a number can't hold exactly are bigints, objects are maps; undefined: nothing is there. */
export type JsonValue =
  string | number | bigint | boolean | null | undefined | readonly JsonValue[] | ReadonlyMap<string, JsonValue>;

/** Reads JSON; null: it is none. Two large numbers that differ in their last digit stay two. */
export function readJson(body: Buffer): { readonly value: JsonValue } | null {
  try {
    // the reviver has made it of such values only
    return { value: parse(body.toString('utf8'), revive) as JsonValue };
  } catch {
    return null;
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

// TypeScript does not know yet what the reviver is told besides (ECMAScript, JSON.parse source text access)
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;

const revive: Reviver = (_, value, { source = '' }) => {
  if (typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)) return BigInt(source);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : value;
};
