import { sql } from 'kysely';
import { endPhases, type Phase } from '../contracts/catalog.ts';
import type { Ledger } from './connect.ts';

/** A deployment as far as another one of its name is concerned. */
export interface NamedDeployment {
  readonly id: string;
  readonly phase: Phase;
  readonly open: boolean;
  /** Null: the ledger does not know its plan. */
  readonly specHash: string | null;
  readonly spec: unknown;
}

/** How many are looked at: far more than may be open under one name. */
const most = 100;

/** Deployments of a name: those that have not ended before the others, newest first. */
export async function findNamed(ledger: Ledger, name: string): Promise<readonly NamedDeployment[]> {
  const rows = await ledger
    .selectFrom('deployments')
    .select(['id', 'phase', 'spec_hash'])
    .select(sql`plan -> 'spec'`.as('spec'))
    .where('name', '=', name)
    .where('status', 'is not', null)
    .orderBy((eb) => eb('phase', 'in', endPhases))
    .orderBy('started_at', 'desc')
    .limit(most)
    .execute();
  return rows.map(({ id, phase, spec_hash: specHash, spec }) => ({
    id,
    phase: phase as Phase, // of a status that `record` kept
    open: !endPhases.some((end) => end === phase),
    specHash,
    spec,
  }));
}
