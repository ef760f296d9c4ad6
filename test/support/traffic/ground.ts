import type { KubernetesObject } from '@kubernetes/client-node';
import { KubernetesObjectApi, PatchStrategy } from '@kubernetes/client-node';
import type { RouterConnection } from '../../../activities/traffic/router.ts';
import type { Route } from '../../../contracts/route.ts';
import type { HeldObject, ObjectRef } from '../../../contracts/workload.ts';
import { apiVersions } from '../../../activities/kubernetes/objects.ts';
import { configOf, type TestNamespace } from '../kubernetes/cluster.ts';
import { deploymentOf } from '../kubernetes/deployment.ts';
import type { AnyObject } from '../data-planes/objects.ts';

/** A route of one test, at weight 0. */
export interface Sample {
  readonly route: Route;
  /** What the deployment holds: the route's own object, or its workload's. */
  readonly held: HeldObject;
  /** The same route where there is nothing of that name. */
  readonly astray: Route;
  /** The same route to a candidate that it does not know. */
  readonly stranger: Route;
  /** All that stands there, without what changes with each write. */
  readonly content: () => Promise<unknown>;
  /** Is another one after each write. */
  readonly version: () => Promise<string>;
  /** Somebody gives the candidate that weight past us. */
  readonly byHand: (weight: number) => Promise<void>;
}

/** Where a router runs, or what stands for it. */
export interface Ground {
  readonly fresh: (name: string) => Promise<Sample>;
  /** The routers of the configuration. */
  readonly router: (name: string) => RouterConnection;
  /** Nobody answers there any more; the router's connection of that name. */
  readonly stop: () => Promise<void>;
}

/** Objects of any kind as the administrator sees them. */
export class Objects {
  readonly #api: KubernetesObjectApi;
  readonly #namespace: string;

  constructor({ admin, name }: TestNamespace) {
    this.#api = KubernetesObjectApi.makeApiClient(configOf(admin));
    this.#namespace = name;
  }

  async create(object: AnyObject): Promise<HeldObject> {
    const { metadata } = await this.#api.create({
      ...object,
      metadata: { ...object.metadata, namespace: this.#namespace },
    });
    // only kinds that the catalogue knows are created here
    const kind = object.kind as HeldObject['kind'];
    return { kind, namespace: this.#namespace, name: object.metadata.name, uid: metadata?.uid ?? '' };
  }

  /** A Deployment without pods, for what a deployment holds outside of the router. */
  workload(name: string): Promise<HeldObject> {
    const { spec } = deploymentOf(name, { replicas: 0 });
    return this.create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec });
  }

  read(ref: ObjectRef): Promise<KubernetesObject> {
    const { kind, namespace, name } = ref;
    return this.#api.read<KubernetesObject>({ apiVersion: apiVersions[kind], kind, metadata: { namespace, name } });
  }

  /** Merges a change into it, in another's name. */
  async patch({ kind, namespace, name }: ObjectRef, change: Record<string, unknown>): Promise<void> {
    const { metadata, ...rest } = change;
    const body = {
      apiVersion: apiVersions[kind],
      kind,
      metadata: { ...(typeof metadata === 'object' ? metadata : {}), namespace, name },
      ...rest,
    };
    await this.#api.patch(body, undefined, undefined, 'somebody', undefined, PatchStrategy.MergePatch);
  }

  /** Without what changes with each write, and by itself. */
  async content(ref: ObjectRef): Promise<unknown> {
    const { metadata, ...rest } = (await this.read(ref)) as KubernetesObject & { readonly status?: unknown };
    const { name, labels, annotations, managedFields } = metadata ?? {};
    const plain = Object.fromEntries(Object.entries(rest).filter(([key]) => key !== 'status'));
    const managers = (managedFields ?? []).map(({ manager }) => manager).filter((manager) => manager === 'lakeshift');
    return { ...plain, name, labels: labels ?? {}, annotations: annotations ?? {}, managers };
  }

  async version(ref: ObjectRef): Promise<string> {
    return (await this.read(ref)).metadata?.resourceVersion ?? '';
  }
}
