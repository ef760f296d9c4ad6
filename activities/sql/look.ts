import type { LookInput, LookResult } from '../../contracts/activities.ts';
import { failures, type FailureCode } from '../../contracts/failures.ts';
import { ApplicationFailure } from '@temporalio/common';
import type { Statement } from '../../contracts/plan.ts';
import { quote } from './home.ts';
import { withSession, type Session, type TargetConnection } from './session.ts';
import { sqlStateOf, unknownNameOf } from './sql-failure.ts';

/** Runs looks in one transaction that changes nothing; a statement that the server refuses is a result, not an error. */
export async function look(target: TargetConnection, input: LookInput): Promise<Readonly<Record<string, LookResult>>> {
  return withSession(target, 'lakeshift look', async (session) => {
    await session.query(input.mode === 'read-only' ? 'BEGIN TRANSACTION READ ONLY' : 'BEGIN');
    await session.query(`SET LOCAL statement_timeout = '20s'`);
    await session.query(`SET LOCAL lock_timeout = '200ms'`);
    const results: Record<string, LookResult> = {};
    for (const statement of input.statements) results[statement.id] = await behindSavepoint(session, statement);
    await session.query('ROLLBACK');
    return results;
  });
}

async function behindSavepoint(session: Session, { sql, as }: Statement): Promise<LookResult> {
  await session.query('SAVEPOINT look');
  try {
    if (as !== undefined) await session.query(`SET LOCAL ROLE ${quote(as)}`);
    const rows = await session.query(sql);
    if (as !== undefined) await session.query('RESET ROLE');
    await session.query('RELEASE SAVEPOINT look');
    return { ok: true, rows };
  } catch (error) {
    const code = sqlStateOf(error);
    if (code === null || isBusy(error)) throw error;
    await session.query('ROLLBACK TO SAVEPOINT look');
    return { ok: false, code, name: unknownNameOf(error) };
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof ApplicationFailure &&
  // the type of a failure of ours is always one of our codes
  failures[error.type as FailureCode].family === 'busy';
