import type { RealService } from '../test/support/real-service.ts';
import type { TestNamespace } from '../test/support/kubernetes/cluster.ts';
import setUp from '../test/support/global-setup.ts';
import tearDown from '../test/support/global-teardown.ts';

/** A whole service, a control plane and an empty namespace, for as long as the work takes. */
export async function withOwnCluster<T>(
  work: (service: RealService, namespace: TestNamespace) => Promise<T>,
): Promise<T> {
  await setUp();
  try {
    // both ask for what the set-up has just written
    const { freshNamespace } = await import('../test/support/kubernetes/cluster.ts');
    const { rights } = await import('../test/support/kubernetes/rights.ts');
    const { RealService: Service } = await import('../test/support/real-service.ts');
    const { kubeconfig } = await import('../tools/kubernetes/kubeconfig.ts');
    const namespace = await freshNamespace();
    await namespace.allow(...rights);
    const service = await Service.onCluster(kubeconfig(namespace.guest, 'lakeshift'));
    try {
      return await work(service, namespace);
    } finally {
      await service.stop();
      await namespace.drop();
    }
  } finally {
    await tearDown();
  }
}
