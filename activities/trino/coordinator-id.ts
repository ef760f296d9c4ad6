import { ApplicationFailure } from '@temporalio/common';
import type { Coordinator } from '../../contracts/running.ts';
import { dropStatement, takeStatement } from './taken-statement.ts';

/** A query's id, `20261129_192442_00000_hgc6a`, ends with the id that its coordinator has had since it started. */
const queryId = /^\d{8}_\d{6}_\d{5}_([a-z0-9]{5})$/;

/** The id that all queries of a coordinator end with; null: it does not answer, or not as Trino does. */
export async function coordinatorIdOf(coordinator: Coordinator): Promise<string | null> {
  try {
    // nothing but a query's id tells it; this one is never begun
    const { id, next } = await takeStatement(coordinator, 'SELECT 1');
    if (next !== null) await dropStatement(coordinator, next);
    return queryId.exec(id)?.[1] ?? null;
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    return null;
  }
}
