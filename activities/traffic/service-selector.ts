import type { V1Service } from '@kubernetes/client-node';
import type { ServiceRoute } from '../../contracts/route.ts';
import { failure } from '../failures.ts';
import { objectRouter } from './object-route.ts';

/** The selector of a Service: one write moves all traffic, and nothing in between can be said. */
export const serviceSelector = objectRouter<ServiceRoute, V1Service>({
  kind: 'Service',
  stateOf: ({ spec }, { label, stable, candidate }) => {
    const value = spec?.selector?.[label];
    if (value === stable) return { weight: 0, because: `${label} is ${stable}` };
    if (value === candidate) return { weight: 100, because: `${label} is ${candidate}` };
    return { weight: null, because: `its selector does not say ${label}: ${stable} or ${candidate}` };
  },
  change: ({ spec }, { label, stable, candidate }, weight) => {
    // what it does not go by may be on no pod at all: then nobody would get a request
    if (spec?.selector?.[label] === undefined)
      throw failure('TARGET_DRIFTED', `the selector of the Service does not go by the label ${label}`);
    if (weight !== 0 && weight !== 100)
      throw failure('CLUSTER_REFUSED', `the selector of a Service can't give ${weight} % to the candidate: 0 or 100`);
    return { spec: { selector: { [label]: weight === 0 ? stable : candidate } } };
  },
  services: () => [],
});
