import { ApplicationFailure } from '@temporalio/common';
import type { FailureCode } from '../../contracts/failures.ts';
import { failure } from '../failures.ts';

/**
 * What a driver's error means to us. Kept: SQLSTATE, constraint, the identifier that the server did not know. Never
 * the message or the detail: they may hold values of rows.
 */
export function sqlFailure(error: unknown, target: string): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const { code, constraint, message } = partsOf(error);
  if (code === driftState) return failure('TARGET_DRIFTED', `target ${target}: our trigger or a new column is gone, or the trigger is disabled`);
  if (code === null) return failure('TARGET_UNREACHABLE', `target ${target}: ${networkWords(message)}`);
  const name = unknownName(code, message);
  const detail = `target ${target}: SQLSTATE ${code}${constraint === null ? '' : `, constraint ${constraint}`}${name === null ? '' : `, ${name}`}`;
  return failure(codeFor(code), detail, { data: { sqlState: code, constraint, name } });
}

/** The SQLSTATE that a failure of ours carries, or null. */
export function sqlStateOf(error: unknown): string | null {
  return dataOf(error, 'sqlState');
}

/** The identifier that the server did not know, or null. */
export function unknownNameOf(error: unknown): string | null {
  return dataOf(error, 'name');
}

function dataOf(error: unknown, field: string): string | null {
  if (!(error instanceof ApplicationFailure)) return null;
  const data: unknown = error.details?.[0];
  if (typeof data !== 'object' || data === null) return null;
  const value: unknown = Object.entries(data).find(([name]) => name === field)?.[1];
  return typeof value === 'string' ? value : null;
}

/** What a statement of a plan raises that finds our trigger or a new column away. */
const driftState = 'LS001';

/** SQLSTATE by class, the first that matches. */
const families: readonly (readonly [RegExp, FailureCode])[] = [
  [/^(08|57P0[1235]|53|58|XX000)/, 'TARGET_UNREACHABLE'],
  [/^(28|3D000)/, 'TARGET_UNREACHABLE'],
  [/^(55P03|40|57014)/, 'LOCK_NOT_ACQUIRED'],
  [/^42501/, 'RIGHTS_MISSING'],
];

const codeFor = (sqlState: string): FailureCode =>
  families.find(([pattern]) => pattern.test(sqlState))?.[1] ?? 'SQL_FAILED';

interface Parts {
  readonly code: string | null;
  readonly constraint: string | null;
  readonly message: string;
}

function partsOf(error: unknown): Parts {
  const fields = new Map<string, unknown>(typeof error === 'object' && error !== null ? Object.entries(error) : []);
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  const code = text(fields.get('code'));
  return {
    // node's own network errors carry codes too (ECONNREFUSED); SQLSTATEs have exactly five characters
    code: code !== null && /^[0-9A-Z]{5}$/.test(code) ? code : null,
    constraint: text(fields.get('constraint')),
    message: `${code ?? ''} ${error instanceof Error ? error.message : ''}`,
  };
}

/** Only words of the network layer pass, never free text. */
const networkWords = (message: string): string =>
  /\b(E[A-Z_]{3,}|timeout)\b/.exec(message)?.[0] ?? 'the connection was lost';

/** Undefined column, function, type, table: the name in such a message is one of the plan's, not of a row. */
function unknownName(code: string, message: string): string | null {
  if (!['42703', '42883', '42704', '42P01', '42701'].includes(code)) return null;
  return /"([^"]{1,63})"/.exec(message)?.[1] ?? null;
}
