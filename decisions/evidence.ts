import type { Finding, Plan } from '../contracts/plan.ts';
import type { Evidence } from '../contracts/progress.ts';
import { hashOf } from './hash.ts';

/**
 * Evidence with the hash that approvals are bound to. Of what is merely noted only the code counts: under live
 * traffic the number of rows that were compared is another one each time, and nobody could ever approve.
 */
export const evidenceOf = (plan: Plan, stage: string, findings: readonly Finding[], gatheredAt: number): Evidence => ({
  stage,
  hash: hashOf({ plan: plan.hash, stage, facts: findings.map(fact) }),
  findings,
  gatheredAt,
});

const fact = ({ code, level, detail, count, keys }: Finding): object =>
  level === 'noted' ? { code, level } : { code, level, detail, count, keys };
