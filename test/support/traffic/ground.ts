import type { KubernetesObject } from '@kubernetes/client-node';
import { KubernetesObjectApi, PatchStrategy } from '@kubernetes/client-node';
import type { RouterConnection } from '../../../activities/traffic/router.ts';
import type { Route } from '../../../contracts/route.ts';
import type { ObjectKind } from '../../../contracts/catalog.ts';
import type { HeldObject, ObjectRef } from '../../../contracts/workload.ts';
import { partOf } from '../../../activities/kubernetes/cluster.ts';
import { apiVersions } from '../../../activities/kubernetes/objects.ts';
import { configOf, type TestNamespace } from '../kubernetes/cluster.ts';
import { deploymentOf } from '../kubernetes/deployment.ts';

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
  /** Somebody gives the candidate that weight past us; `ownFields`: and a port or a header of its own, if it can have one. */
  readonly byHand: (weight: number, ownFields?: boolean) => Promise<void>;
}

/** Where a router runs, or what stands for it. */
export interface Ground {
  readonly fresh: (name: string) => Promise<Sample>;
  /** The routers of the configuration. */
  readonly router: (name: string) => RouterConnection;
  /** Nobody answers there any more; the router's connection of that name. */
  readonly stop: () => Promise<void>;
}

/** An object of a kind that the catalogue knows, with what it has beside its metadata. */
interface Wanted extends Readonly<Record<string, unknown>> {
  readonly apiVersion: string;
  readonly kind: ObjectKind;
  readonly metadata: { readonly name: string };
}

/** Objects of any kind as the administrator sees them. */
export class Objects {
  readonly #api: KubernetesObjectApi;
  readonly #namespace: string;

  constructor({ admin, name }: TestNamespace) {
    this.#api = KubernetesObjectApi.makeApiClient(configOf(admin));
    this.#namespace = name;
  }

  async create({ kind, metadata: { name }, ...object }: Wanted): Promise<HeldObject> {
    const namespace = this.#namespace;
    const body: KubernetesObject = Object.assign({}, object, { kind, metadata: { name, namespace } });
    const { metadata }: KubernetesObject = await this.#api.create(body);
    return { kind, namespace, name, uid: metadata?.uid ?? '' };
  }

  /** A Deployment without pods, for what a deployment holds outside of the router. */
  workload(name: string): Promise<HeldObject> {
    const { spec } = deploymentOf(name, { replicas: 0 });
    return this.create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec });
  }

  read(ref: ObjectRef): Promise<KubernetesObject> {
    const { kind, namespace, name } = ref;
    return this.#api.read({ apiVersion: apiVersions[kind], kind, metadata: { namespace, name } });
  }

  /** Merges a change into it, in another's name. */
  async patch({ kind, namespace, name }: ObjectRef, change: Record<string, unknown>): Promise<void> {
    const metadata = { ...(typeof change['metadata'] === 'object' ? change['metadata'] : {}), namespace, name };
    const body: KubernetesObject = Object.assign({}, change, { apiVersion: apiVersions[kind], kind, metadata });
    await this.#api.patch(body, undefined, undefined, 'somebody', undefined, PatchStrategy.MergePatch);
  }

  /** Without what changes with each write, and by itself. */
  async content(ref: ObjectRef): Promise<unknown> {
    const { metadata, ...rest } = (await this.read(ref)) as KubernetesObject & { readonly status?: unknown };
    const { name, labels, annotations, managedFields } = partOf(metadata);
    const plain = Object.fromEntries(Object.entries(rest).filter(([key]) => key !== 'status'));
    const managers = (managedFields ?? []).map(({ manager }) => manager).filter((manager) => manager === 'lakeshift');
    return { ...plain, name, labels: labels ?? {}, annotations: annotations ?? {}, managers };
  }

  async version(ref: ObjectRef): Promise<string> {
    return (await this.read(ref)).metadata?.resourceVersion ?? '';
  }
}
