import type { Activities } from '../../contracts/activities.ts';
import { followQueries } from './follow-queries.ts';
import { traceFollowUps } from './trace-follow-ups.ts';

/** What is seen of Trino itself. */
export const createTrinoActivities = (): Pick<Activities, 'followQueries' | 'traceFollowUps'> => ({
  followQueries,
  traceFollowUps: ({ followUps }) => traceFollowUps(followUps),
});
