import { CancellationScope, condition } from '@temporalio/workflow';

/** Does something long, unless something is ordered first: then it is cancelled, and the answer is null. */
export async function unless<T>(ordered: () => boolean, work: () => Promise<T>): Promise<T | null> {
  const scope = new CancellationScope();
  try {
    return await Promise.race([scope.run(work), scope.run(() => condition(ordered)).then(() => null)]);
  } finally {
    scope.cancel();
  }
}
