import { ApplicationFailure } from '@temporalio/workflow';
import type { FailureCode } from '../../contracts/failures.ts';

/** What an undo throws that has not come to its end: the deployment parks there, and a retry undoes anew. */
export const notUndone = (code: FailureCode, detail: string): ApplicationFailure =>
  ApplicationFailure.create({ type: code, message: detail, nonRetryable: true });
