import type { GoModule } from '../go-module.ts';

/** Projects whose resources a test may store in the cluster. */
export type CustomResources = 'gateway-api' | 'istio';

/** Where the definitions of a project's resources are. */
export interface Source {
  readonly module: GoModule;
  /** Folder within the module, all of whose YAML is meant. */
  readonly folder: string;
  /** Only these; absent: all. */
  readonly kinds?: readonly string[];
}

/** Each in the version that the data planes of the tests speak. */
export const sources: Readonly<Record<CustomResources, Source>> = {
  'gateway-api': {
    module: {
      path: 'sigs.k8s.io/gateway-api',
      version: 'v1.4.0',
      sum: 'h1:ZwlNM6zOHq0h3WUX2gfByPs2yAEsy/EenYJB78jpQfQ=',
    },
    folder: 'config/crd/standard',
  },
  // only to be stored: Istio's own data plane is no part of the tests
  istio: {
    module: {
      path: 'istio.io/api',
      version: 'v1.31.1',
      sum: 'h1:5Yb5ihcz4YQsCkciusK7DnFpBMwRB6EFWeUKH1Atuyk=',
    },
    folder: 'kubernetes',
    kinds: ['VirtualService', 'DestinationRule'],
  },
};
