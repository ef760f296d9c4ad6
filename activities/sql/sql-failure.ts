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
  if (code === null) return failure('TARGET_UNREACHABLE', `target ${target}: ${networkWords(message)}`);
  const name = unknownName(code, message);
  const detail = `target ${target}: SQLSTATE ${code}${constraint === null ? '' : `, constraint ${constraint}`}${name === null ? '' : `, ${name}`}`;
  const data = { sqlState: code, constraint, name };
  return failure(codeFor(code), detail, code === diskFull ? { data, retryInMs: fullForMs } : { data });
}

/** Why a session was not opened, by SQLSTATE: what is missing is a right, and which one. */
const entrance: Readonly<Record<string, string>> = {
  '42501': 'our role may not connect to this database: GRANT CONNECT ON DATABASE',
  '28000': 'our role is not there, or may not log in from here: CREATE ROLE … LOGIN',
  '28P01': 'our role is not there, or its password is another one: CREATE ROLE … LOGIN',
};

/** What a driver's error means while a session is being opened. */
export function connectFailure(error: unknown, target: string): ApplicationFailure {
  const known = sqlFailure(error, target);
  const words = entrance[sqlStateOf(known) ?? ''];
  // Of the busy family on purpose: a right that is given meanwhile lets the next try through.
  return words === undefined ? known : failure('TARGET_UNREACHABLE', `target ${target}: ${words}`);
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

const diskFull = '53100';
/** How long to leave a full disk alone, ms: what we write there the application cannot. */
const fullForMs = 10_000;

/** SQLSTATE by class, the first that matches. */
const families: readonly (readonly [RegExp, FailureCode])[] = [
  [/^53100/, 'TARGET_FULL'],
  // a standby that has not been promoted yet, a transaction that fell silent: both are over soon
  [/^(08|57P0[1235]|25006|25P03|53|58|XX000)/, 'TARGET_UNREACHABLE'],
  [/^(28|3D000)/, 'TARGET_UNREACHABLE'],
  [/^(55P03|40|57014)/, 'LOCK_NOT_ACQUIRED'],
  [/^42501/, 'RIGHTS_MISSING'],
];

const codeFor = (sqlState: string): FailureCode =>
  families.find(([pattern]) => pattern.test(sqlState))?.[1] ?? 'SQL_FAILED';

/**
 * What code inside the database raises names what it likes, a row's value too: only what the statement itself has met
 * is taken for the name of a thing.
 */
const saidByServer = (fields: ReadonlyMap<string, unknown>): boolean =>
  fields.get('where') === undefined && fields.get('internalQuery') === undefined;

interface Parts {
  readonly code: string | null;
  readonly constraint: string | null;
  readonly message: string;
}

function partsOf(error: unknown): Parts {
  const fields = new Map<string, unknown>(typeof error === 'object' && error !== null ? Object.entries(error) : []);
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  const code = text(fields.get('code'));
  const names = saidByServer(fields);
  return {
    // node's own network errors carry codes too (ECONNREFUSED); SQLSTATEs have exactly five characters
    code: code !== null && /^[0-9A-Z]{5}$/.test(code) ? code : null,
    constraint: names ? text(fields.get('constraint')) : null,
    message: `${code ?? ''} ${error instanceof Error && names ? error.message : ''}`,
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
