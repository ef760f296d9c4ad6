/** A field of an object of which nothing is known. */
export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;

/** The items of a field that is a list; empty: it is none. */
export const listIn = (value: unknown, name: string): readonly unknown[] => {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? (list as readonly unknown[]) : [];
};

/** A field that is a text; empty: it is none. */
export const textIn = (value: unknown, name: string): string => {
  const text = fieldOf(value, name);
  return typeof text === 'string' ? text : '';
};

/** Pairs in a list of objects, such as tags: the one field by the other. */
export const pairsIn = (value: unknown, list: string, key: string, of: string): Readonly<Record<string, string>> =>
  Object.fromEntries(listIn(value, list).map((item) => [textIn(item, key), textIn(item, of)]));
