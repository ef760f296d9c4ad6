import type { DeploymentSummary, DeploymentView } from '../contracts/api.ts';
import type { Client } from './client.ts';
import { ApiProblem, Refused } from './failure.ts';

/**
 * The deployment that a person means: by id, by name (its latest), or by the beginning of an id that no other has.
 * Throws Refused when the beginning fits several.
 */
export async function findDeployment(client: Client, text: string): Promise<DeploymentView> {
  try {
    return await client.show(text);
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.problem.code !== 'NOT_FOUND') throw error;
    const fitting = await beginningWith(client, text);
    const [only, other] = fitting;
    if (only === undefined) throw error;
    if (other === undefined) return client.show(only.id);
    const some = fitting.slice(0, 5).map(({ id }) => id);
    throw new Refused(`${text} fits ${fitting.length} deployments: ${some.join(', ')}${fitting.length > 5 ? '…' : ''}`);
  }
}

async function beginningWith(client: Client, text: string): Promise<DeploymentSummary[]> {
  const fitting: DeploymentSummary[] = [];
  let cursor: string | null = null;
  do {
    const page = await client.list({ limit: ['200'], ...(cursor === null ? {} : { cursor: [cursor] }) });
    fitting.push(...page.deployments.filter(({ id }) => id.startsWith(text)));
    cursor = page.next;
  } while (cursor !== null);
  return fitting;
}
