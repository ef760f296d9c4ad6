import type { V1ConfigMap } from '@kubernetes/client-node';

/** A ConfigMap of a test. */
export const configMapOf = (name: string, data: Readonly<Record<string, string>>): V1ConfigMap => ({
  metadata: { name },
  data: { ...data },
});
