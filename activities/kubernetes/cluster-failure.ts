import { ApplicationFailure } from '@temporalio/common';
import type { FailureCode } from '../../contracts/failures.ts';
import { failure } from '../failures.ts';

/** What an answer of the API server means to us, by its status. */
const meanings: Readonly<Record<number, FailureCode>> = {
  400: 'CLUSTER_REFUSED',
  401: 'RIGHTS_MISSING',
  404: 'TARGET_DRIFTED',
  // somebody else has written in between: the next try reads anew
  409: 'TARGET_BUSY',
  410: 'TARGET_BUSY',
  422: 'CLUSTER_REFUSED',
  429: 'TARGET_BUSY',
};

/**
 * What an error of the client means to us. Of what the server says only its reason is kept: an admission message may
 * hold anything.
 */
export function clusterFailure(error: unknown, target: string, what: string): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const { status, reason, forbidden } = partsOf(error);
  if (status === null) return failure('TARGET_UNREACHABLE', `cluster ${target} does not answer`);
  const detail = `cluster ${target}, ${what}: ${status}${reason === '' ? '' : ` ${reason}`}`;
  if (status === 403) return failure(forbidden ? 'RIGHTS_MISSING' : 'CLUSTER_REFUSED', detail, { data: { status } });
  return failure(meanings[status] ?? 'TARGET_UNREACHABLE', detail, { data: { status } });
}

interface Parts {
  /** HTTP status; null: there was no answer. */
  readonly status: number | null;
  /** A word of the API server's own list. */
  readonly reason: string;
  /** By its own rules; else an admission, such as a quota, has refused. */
  readonly forbidden: boolean;
}

function partsOf(error: unknown): Parts {
  const none = { status: null, reason: '', forbidden: false };
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return none;
  const body = bodyOf('body' in error ? error.body : null);
  const reason = typeof body['reason'] === 'string' && /^\w{1,40}$/.test(body['reason']) ? body['reason'] : '';
  const words = typeof body['message'] === 'string' ? body['message'] : '';
  return { status: error.code, reason, forbidden: / cannot \w+ resource /.test(words) };
}

/** The client hands over what it could not read as text. */
function bodyOf(body: unknown): Readonly<Record<string, unknown>> {
  const parsed = typeof body === 'string' ? parse(body) : body;
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
