import type { GoModule } from '../go-module.ts';

/** Traefik that we build and our cache is named after; 3.7.11 to 3.7.13 do not resolve. */
export const traefikVersion = '3.6.12';

/** Its source; its own go.sum pins what it needs. */
export const traefikModule: GoModule = {
  path: 'github.com/traefik/traefik/v3',
  version: `v${traefikVersion}`,
  sum: 'h1:6pe4s7aaDTQs+AsF7KP3sM/xnq7zOVvibRQe5tw9eFo=',
};
