import type { DeploymentView } from '../contracts/api.ts';
import type { Status } from '../contracts/progress.ts';
import type { KeptDeployment, LedgerReader } from '../ledger/index.ts';
import type { Engine } from './engine.ts';
import { Refusal } from './problems.ts';

/** Where a deployment is found in this API. */
export const pathOf = (id: string): string => `/v1/deployments/${id}`;

/** One deployment as the API shows it. */
export const viewOf = (
  engine: Pick<Engine, 'address'>,
  { status, live, seq }: { readonly status: Status } & Partial<KeptDeployment>,
): DeploymentView => ({
  status,
  live: live ?? null,
  ...(seq === undefined ? {} : { seq }),
  links: {
    self: pathOf(status.id),
    events: `${pathOf(status.id)}/events`,
    report: `${pathOf(status.id)}/report`,
    temporal: engine.address(status.id),
  },
});

/** The deployment of an id, or the latest of a name; throws NOT_FOUND. */
export async function mustFind(reader: LedgerReader, idOrName: string): Promise<KeptDeployment> {
  const kept = await reader.find(idOrName);
  if (kept === null) throw new Refusal('NOT_FOUND', `there is no deployment ${idOrName}`);
  return kept;
}
