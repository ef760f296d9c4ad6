import {
  isGrpcCancelledError,
  isGrpcDeadlineError,
  isGrpcServiceError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { failures, type FailureCode } from '../contracts/failures.ts';
import { Refusal } from './problems.ts';

/**
 * What an error of Temporal's client means to the caller. Codes are compared, never classes of ours: an error that
 * has crossed the wire is only its type's name, its message and its details.
 */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const failure = causes(error).find((cause) => cause instanceof ApplicationFailure && isCode(cause.type));
  if (failure instanceof ApplicationFailure && isCode(failure.type)) {
    return new Refusal(failure.type, failure.message, factsOf(failure.details));
  }
  if (isUnanswered(error)) {
    return new Refusal('WORKER_ABSENT', 'no worker has answered in time; the request may be repeated as it is');
  }
  const grpc = causes(error).find((cause) => isGrpcServiceError(cause));
  if (grpc !== undefined)
    return new Refusal('ENGINE_UNREACHABLE', `Temporal does not take the call (gRPC ${codeOf(grpc)})`);
  if (causes(error).some((cause) => cause instanceof ApplicationFailure && cause.type === endedMeanwhile)) {
    return new Refusal('OUTCOME_UNKNOWN', 'the deployment ended while it was asked; its status says how');
  }
  return new Refusal('INTERNAL', `the workflow has failed as it should not: ${causes(error).map(nameOf).join(', ')}`);
}

/** What the server calls the failure of an update whose workflow ended before it had answered. */
const endedMeanwhile = 'AcceptedUpdateCompletedWorkflow';

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
/** Names and types only: a message may quote anything. */
const nameOf = (error: unknown): string =>
  error instanceof ApplicationFailure
    ? `ApplicationFailure ${error.type ?? ''}`
    : error instanceof Error
      ? error.name
      : 'unknown';

/** Whether a text is one of our failure codes. */
export const isCode = (type: string | null | undefined): type is FailureCode =>
  typeof type === 'string' && Object.hasOwn(failures, type);

function isUnanswered(error: unknown): boolean {
  return (
    error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
    isGrpcDeadlineError(error) ||
    // a deadline that passes between two polls of a result is reported as a cancelled call
    isGrpcCancelledError(error) ||
    causes(error).some((cause) => cause instanceof TimeoutFailure)
  );
}

/** The error and what caused it, outermost first. */
function causes(error: unknown): readonly unknown[] {
  const found: unknown[] = [];
  for (let at = error; at instanceof Error && found.length < 20; at = at.cause) found.push(at);
  return found;
}

function factsOf(details: readonly unknown[] | null | undefined): { holder?: string; possible?: readonly string[] } {
  const [first] = details ?? [];
  if (typeof first !== 'object' || first === null) return {};
  const holder = 'holder' in first && typeof first.holder === 'string' ? { holder: first.holder } : {};
  const possible = 'possible' in first && isTexts(first.possible) ? { possible: first.possible } : {};
  return { ...holder, ...possible };
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
