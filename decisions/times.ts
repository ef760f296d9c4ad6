/** A factor from 1.05x to 10x; the JSON Schema of the spec says the same. */
export const timesPattern = /^(1\.(0[5-9]|[1-9])\d{0,2}|[2-9](\.\d{1,3})?|10)x$/;

/** Reads a factor such as `1.5x`; null: it is none. */
export const parseTimes = (text: string): number | null => (timesPattern.test(text) ? Number(text.slice(0, -1)) : null);
