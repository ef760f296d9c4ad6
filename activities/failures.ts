import { ApplicationFailure } from '@temporalio/common';
import { failures, type FailureCode } from '../contracts/failures.ts';

/** What may be said of a failure besides its code and its detail. */
export interface FailureOptions {
  /** Facts for the one who catches it, as Temporal details. Never a row's value or a secret. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Ask Temporal to wait this long before it tries again, ms. Only for the family *busy*. */
  readonly retryInMs?: number;
}

/**
 * The error that an activity throws. Its type is the code, which is what crosses the wire; its family decides
 * whether Temporal tries again: only *busy* is retried.
 */
export function failure(code: FailureCode, detail: string, options: FailureOptions = {}): ApplicationFailure {
  return ApplicationFailure.create({
    type: code,
    message: detail,
    nonRetryable: failures[code].family !== 'busy',
    ...(options.data === undefined ? {} : { details: [options.data] }),
    ...(options.retryInMs === undefined ? {} : { nextRetryDelay: options.retryInMs }),
  });
}
