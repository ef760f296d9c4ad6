import type { V2HorizontalPodAutoscaler, V2HorizontalPodAutoscalerBehavior } from '@kubernetes/client-node';

/** How an autoscaler scales that somebody has thought about. */
export const slowly: V2HorizontalPodAutoscalerBehavior = {
  scaleDown: {
    stabilizationWindowSeconds: 60,
    selectPolicy: 'Min',
    policies: [{ type: 'Pods', value: 1, periodSeconds: 30 }],
  },
};

/** An autoscaler of the Deployment of the same name, between 3 and 5 pods; `owner`: another one that keeps it. */
export const autoscalerOf = (
  name: string,
  behavior?: V2HorizontalPodAutoscalerBehavior,
  owner?: V2HorizontalPodAutoscaler,
): V2HorizontalPodAutoscaler => ({
  metadata: { name, ...(owner === undefined ? {} : { ownerReferences: [ownedBy(owner)] }) },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    minReplicas: 3,
    maxReplicas: 5,
    ...(behavior === undefined ? {} : { behavior }),
  },
});

const ownedBy = ({ metadata }: V2HorizontalPodAutoscaler) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  name: metadata?.name ?? '',
  uid: metadata?.uid ?? '',
  controller: true,
});
