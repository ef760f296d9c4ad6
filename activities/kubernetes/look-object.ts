import { Watch } from '@kubernetes/client-node';
import type { ObjectKind } from '../../contracts/catalog.ts';
import type { ObjectRef } from '../../contracts/workload.ts';
import { asking, type Cluster } from './cluster.ts';
import { KindWatch, silentMs, type KindSource, type Look } from './kind-watch.ts';
import { addressOf, nameOf, readListed, type FoundObject } from './objects.ts';

/** An object as a watch tells it, at most 90 s old; `T` is what the API server has of this kind. */
export type LookAt<T> = Omit<Look, 'object'> & { readonly object: T | null };

/**
 * An object without a request of its own, as long as its kind is watched in its namespace; whoever writes, or acts on
 * what it says, reads it directly.
 */
export async function lookObject<T extends FoundObject>(cluster: Cluster, ref: ObjectRef): Promise<LookAt<T>> {
  const { kind, namespace, name } = ref;
  const key = `${kind} ${namespace}`;
  const watch = cluster.watches.get(key) ?? new KindWatch(sourceOf(cluster, kind, namespace));
  cluster.watches.set(key, watch);
  // the API server answers with the kind that it was asked for
  return asking(cluster, nameOf(ref), () => watch.look(name)) as Promise<LookAt<T>>;
}

/** A watch lasts that long at least, and up to half as long again, s: not all of them end at once. */
const lastsSeconds = 2_400;

/**
 * The library's watch, but not its informer: that one asks for no bookmarks, ends for good at the first error that is no
 * 410, keeps every object of the kind, and can't say whether what it knows still holds.
 */
const sourceOf = (cluster: Cluster, kind: ObjectKind, namespace: string): KindSource => ({
  read: (name) => readListed(cluster, { kind, namespace, name }),
  watch(resourceVersion, { opened, heard, ended }) {
    let isOver = false;
    const timeoutSeconds = Math.round(lastsSeconds * (1 + Math.random() / 2));
    const watching = watchOf(cluster).watch(
      addressOf(kind, namespace),
      { resourceVersion, allowWatchBookmarks: true, timeoutSeconds },
      (type, object: FoundObject) => heard({ type, object }),
      (error: unknown) => {
        isOver = true;
        ended(statusOf(error));
      },
    );
    void watching.then(
      () => (isOver ? undefined : opened()),
      (error: unknown) => ended(statusOf(error)),
    );
    return { stop: () => void watching.then((controller) => controller.abort()).catch(() => undefined) };
  },
});

/** One that bears silence until the next bookmark: the library gives up after 30 s, and has no other word for it. */
function watchOf({ config }: Cluster): Watch {
  const watch = new Watch(config);
  Object.assign(watch, { requestTimeoutMs: silentMs });
  return watch;
}

const statusOf = (error: unknown): number | null =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : null;
