import type { TrinoBinaries } from '../../../tools/trino/get.ts';
import { startTrino, type RunningTrino } from '../../../tools/trino/server.ts';
import { ask } from '../on-demand.ts';
import { required } from '../servers.ts';

const answer = (path: string): Promise<string> => ask(required('LAKESHIFT_TEST_KUBERNETES'), path);

/** Why there can be no Trino here; empty: there can. */
export const whyNoTrino = (): Promise<string> => answer('lacking-trino');

/** Starts a Trino of one's own; the first one may fetch it. */
export async function freshTrino(): Promise<RunningTrino> {
  const binaries = JSON.parse(await answer('trino')) as TrinoBinaries; // test/support/kubernetes/offer.ts writes it
  return startTrino(binaries, { recordIn: required('LAKESHIFT_TEST_PROCESSES') });
}

/** How long starting two of them may take where they have to be fetched first, ms. */
export const firstTrinoMs = 10 * 60_000;
