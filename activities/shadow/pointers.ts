/** A place in a JSON document: names of members, `null` for any place in a list and for a name that is not shown. */
export type Place = readonly (string | null)[];

/** A pattern of the plan, read: `null` is any one name or place. */
export const readPattern = (pattern: string): Place =>
  pattern
    .split('/')
    .slice(1)
    .map((part) => (part === '*' ? null : part.replaceAll('~1', '/').replaceAll('~0', '~')));

/** Whether a place is one of a pattern. */
export const isAt = (place: Place, pattern: Place): boolean =>
  place.length === pattern.length && isBelow(place, pattern);

/** Whether a place is one of a pattern, or inside it. */
export const isBelow = (place: Place, pattern: Place): boolean =>
  pattern.every((part, index) => index < place.length && (part === null || part === place[index]));

/** Names that programs give; a longer one, or one of many digits, may be somebody's value. */
const name = /^(?!(?:.*\d){5})(?!.*\d{4})[A-Za-z_][\w-]{0,39}$/;

/** A place as it may be shown: never with a name that looks like a value. */
export const shown = (place: Place): string =>
  place.map((part) => (part !== null && name.test(part) ? `/${part}` : '/*')).join('');
