import type { V1PolicyRule } from '@kubernetes/client-node';

/** What docs/releases.md says that our role needs, and nothing else. */
export const rights: readonly V1PolicyRule[] = [
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'patch'] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: ['list'] },
];
