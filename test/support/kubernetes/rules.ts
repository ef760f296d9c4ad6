import type {
  V1ResourceQuota,
  V1ValidatingAdmissionPolicy,
  V1ValidatingAdmissionPolicyBinding,
} from '@kubernetes/client-node';

/** Room for so many pods and no more. */
export const quotaOf = (name: string, pods: number): V1ResourceQuota => ({
  metadata: { name },
  spec: { hard: { pods: String(pods) } },
});

/** Refuses Deployments with an image of that tag. */
export const policyOf = (name: string, tag: string, message: string): V1ValidatingAdmissionPolicy => ({
  metadata: { name },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments'] }],
    },
    validations: [{ expression: `object.spec.template.spec.containers.all(c, !c.image.endsWith(":${tag}"))`, message }],
  },
});

/** Has a policy of the same name hold in one namespace. */
export const bindingOf = (name: string, namespace: string): V1ValidatingAdmissionPolicyBinding => ({
  metadata: { name },
  spec: {
    policyName: name,
    validationActions: ['Deny'],
    matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
  },
});
