/**
 * Types whose values may be equal and print differently (1.0 and 1.00), or that are compared too often to be compared in
 * a slower way. All others are compared as they are stored: whoever compares 'Ann' with 'ANN' under a collation or type
 * that is blind to case would miss a write, and json, xml or point can't be compared with `=` at all.
 */
const byValue =
  /^(?:smallint|integer|int|bigint|int[248]|numeric|decimal|real|double precision|float[48]?|boolean|bool|date|time|timetz|timestamp|timestamptz|interval|uuid|money|oid)(?:\s*\([\d\s,-]*\))?(?:\s+with(?:out)?\s+time\s+zone)?$/i;

/** SQL: two values of a type are the same, NULLs too. */
export const same = (type: string, a: string, b: string): string =>
  byValue.test(type) ? `${a} IS NOT DISTINCT FROM ${b}` : `ROW(${a})::record *= ROW(${b})::record`;

/** SQL: they are not. */
export const differ = (type: string, a: string, b: string): string =>
  byValue.test(type) ? `${a} IS DISTINCT FROM ${b}` : `ROW(${a})::record *<> ROW(${b})::record`;

/** SQL: there is no value. `IS NULL` would take a composite value without a single filled field for none. */
export const isNull = (type: string, a: string): string =>
  byValue.test(type) ? `${a} IS NULL` : `${a} IS NOT DISTINCT FROM NULL`;

/** SQL: there is one. `IS NOT NULL` would take a composite value with one empty field for none. */
export const isThere = (type: string, a: string): string =>
  byValue.test(type) ? `${a} IS NOT NULL` : `${a} IS DISTINCT FROM NULL`;
