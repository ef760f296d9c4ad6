/**
 * A text as PostgreSQL can keep it. It takes neither NUL nor half a surrogate pair, and both can come in through the
 * reason of a signal: such an order must not make every later record fail.
 */
export const storable = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed();

/** JSON that PostgreSQL can keep. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === 'string' ? storable(item) : item));
