import type { DeploymentLookup } from '../contracts/activities.ts';

/** Whether another deployment proves that the application has moved. */
export type Proof =
  | { readonly proof: 'given'; readonly because: string }
  | { readonly proof: 'awaited'; readonly because: string }
  | { readonly proof: 'failed'; readonly because: string };

/** Judges the deployment that a cutover waits for; one that is not there yet may still be started. */
export function judgeProof(after: string, found: DeploymentLookup | null): Proof {
  if (found === null) return { proof: 'awaited', because: `there is no deployment ${after} yet` };
  if (found.phase === 'deployed') return { proof: 'given', because: `${found.id} is deployed` };
  if (found.phase === 'rolled-back' || found.phase === 'refused') {
    return { proof: 'failed', because: `${found.id} is ${found.phase}` };
  }
  return { proof: 'awaited', because: `${found.id} is ${found.phase}` };
}

/**
 * How long to wait before the next look, ms: a tenth of the time already waited, from 2 seconds to 10 minutes. The
 * first minutes are quick, and a wait of weeks does not fill the history.
 */
export const nextProofLookMs = (waitedMs: number): number => Math.min(Math.max(waitedMs / 10, 2_000), 600_000);
