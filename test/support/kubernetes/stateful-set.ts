import type { V1StatefulSet } from '@kubernetes/client-node';
import { deploymentOf, type Wishes } from './deployment.ts';

/** A StatefulSet of the same pods as `deploymentOf` has; they are named `name-0`, `name-1` and so on. */
export function statefulSetOf(name: string, wishes: Wishes = {}): V1StatefulSet {
  const { metadata, spec } = deploymentOf(name, wishes);
  const { replicas, selector, template } = spec ?? {};
  return {
    ...(metadata === undefined ? {} : { metadata }),
    spec: {
      serviceName: name,
      ...(replicas === undefined ? {} : { replicas }),
      selector: selector ?? {},
      template: template ?? {},
    },
  };
}
