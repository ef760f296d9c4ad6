import { ApplicationFailure, TemporalFailure, isCancellation } from '@temporalio/workflow';
import { failures, type Failure, type FailureCode } from '../contracts/failures.ts';

/**
 * What an activity failed of; null when the error is a cancellation, or a mistake of our own code, which must not be
 * taken for an answer of the world: thrown on, it stops the workflow until the code is mended.
 */
export function failureOf(error: unknown): Failure | null {
  if (!(error instanceof TemporalFailure) || isCancellation(error)) return null;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure) return coded(cause);
  }
  // Whatever an activity did before it fell silent, its next attempt is fenced and looks first: it is safe to try again.
  return { code: 'WORKER_ABSENT', detail: 'an activity gave no answer in time' };
}

/** Of a failure without a code of ours only its type is kept: its message may hold anything. */
function coded({ type, message }: ApplicationFailure): Failure {
  if (isCode(type)) return { code: type, detail: message };
  return { code: 'INTERNAL', detail: `an activity failed with ${type ?? 'an unnamed error'}` };
}

const isCode = (type: string | undefined | null): type is FailureCode =>
  typeof type === 'string' && Object.hasOwn(failures, type);
