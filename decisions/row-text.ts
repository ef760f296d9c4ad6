import type { Json } from '../contracts/json.ts';

/** A column of a row as text; empty when it is not there or not a text or number. */
export const textOf = (value: Json | undefined): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
