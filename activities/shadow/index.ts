import type { Activities } from '../../contracts/activities.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { compareSides } from './compare-sides.ts';

/** What a shadow asks; it writes nothing anywhere. */
export const createShadowActivities = (at: (name: string) => Cluster): Pick<Activities, 'compareSides'> => ({
  compareSides: (input) => compareSides(() => at(input.target), input),
});
