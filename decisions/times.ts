/** Reads a factor such as `1.5x`, from 1.05 to 10; null: it is none. */
export function parseTimes(text: string): number | null {
  const value = /^\d{1,2}(\.\d{1,3})?x$/.test(text) ? Number(text.slice(0, -1)) : Number.NaN;
  return value >= 1.05 && value <= 10 ? value : null;
}
