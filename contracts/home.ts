/** Our own schema in a target, as far as those who never share code have to agree on it: activities make it, `eject` prints its end. */

/** The comment by which we know that we made the schema; one that was made beforehand has another or none. */
export const homeMark = 'Lakeshift: locks and progress of deployments under way; gone when none is';

/** Its tables, in the order in which they can be dropped. */
export const homeTables = ['progress', 'misfits', 'claims'] as const;
