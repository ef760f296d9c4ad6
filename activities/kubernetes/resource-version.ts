/** Whether it is one that can be compared. */
export const isVersion = (version: string): boolean => /^(0|[1-9]\d*)$/.test(version);

/**
 * Whether one version of an object is newer than another. Versions are decimal numbers of any length that grow
 * (kubernetes.io, API concepts, *Resource versions*; KEP-5504): by length, then digit by digit.
 */
export const isNewer = (version: string, than: string): boolean =>
  version.length === than.length ? version > than : version.length > than.length;
