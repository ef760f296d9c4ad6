import type { FoundObject } from './objects.ts';

/** Where Argo CD and Flux write that an object is theirs. */
const marks = [
  ['annotations', 'argocd.argoproj.io/tracking-id', 'Argo CD'],
  ['labels', 'argocd.argoproj.io/instance', 'Argo CD'],
  ['labels', 'kustomize.toolkit.fluxcd.io/name', 'Flux'],
  ['labels', 'helm.toolkit.fluxcd.io/name', 'Flux'],
] as const;

/** Who keeps an object as a repository says; null: nobody that is known. */
export function ownerOf({ metadata }: FoundObject): string | null {
  for (const [where, key, who] of marks) {
    const value = metadata?.[where]?.[key];
    if (value !== undefined) return `${who} (${value.split(':')[0] ?? ''})`;
  }
  return null;
}
