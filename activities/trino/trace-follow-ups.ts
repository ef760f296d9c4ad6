import { ApplicationFailure } from '@temporalio/common';
import type { FollowUps, FollowUpSide } from '../../contracts/running.ts';
import { ask } from './ask.ts';
import { dropStatement, takeStatement } from './taken-statement.ts';

/** How often each side is followed: a gateway may be several, and each learns of a change by itself. */
const followed = 10;

/**
 * Gives each side a statement and asks for its next page where clients ask: what is wrong with the first side whose
 * coordinator was not reached, or null.
 */
export async function traceFollowUps({ sides, address }: FollowUps): Promise<string | null> {
  for (const side of sides) {
    const fault = await trace(side, address).catch((error: unknown) => {
      if (!(error instanceof ApplicationFailure)) throw error;
      return error.message;
    });
    if (fault !== null) return fault;
  }
  return null;
}

async function trace({ coordinator }: FollowUpSide, through: string): Promise<string | null> {
  const { id, next } = await takeStatement(coordinator, 'SELECT 1');
  if (next === null) return `Trino of ${coordinator.name} has ended a statement before it was begun`;
  try {
    for (let asked = 0; asked < followed; asked++) {
      // the same page may be asked for again
      const { status, body } = await ask(coordinator, next, { through });
      if (status !== 200 || !body.includes(id))
        return `a follow-up request of ${coordinator.name} does not reach it: HTTP status ${status}`;
    }
    return null;
  } finally {
    await dropStatement(coordinator, next);
  }
}
