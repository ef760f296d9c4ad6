import { DatabaseError } from 'pg';

/** What is not done because of the state that the ledger or a backup is in. Its message is for people, one line. */
export class LedgerRefusal extends Error {
  override readonly name = 'LedgerRefusal';
}

/**
 * SQLSTATE or errno of an error that came from the ledger's driver; `unknown` when it has none. Its message and
 * detail are never repeated: they quote values.
 */
export function ledgerFailureCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'unknown';
  return typeof error.code === 'string' ? error.code : 'unknown';
}

/** Whether an error came from the ledger's database or from the way to it, not from a mistake of ours in code. */
export function isLedgerFailure(error: unknown): boolean {
  if (error instanceof DatabaseError) return true;
  if (/^E[A-Z]+$/.test(ledgerFailureCode(error))) return true;
  return error instanceof Error && connectionMessages.test(error.message);
}

/** The driver gives these no code. */
const connectionMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|driver has already been destroyed)/;
