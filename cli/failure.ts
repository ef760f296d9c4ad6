import type { FieldProblem, Problem } from '../contracts/api.ts';
import { failures } from '../contracts/failures.ts';
import type { Finding } from '../contracts/plan.ts';
import type { ExitName } from './exit-codes.ts';

/** A mistake in a spec that was read from a file of many, and its line there, from 1. */
export interface PlacedProblem extends FieldProblem {
  readonly file?: string;
  readonly line?: number;
}

/** What the API answers instead of what was asked; a refused plan brings its findings. */
export type ProblemAnswer = Omit<Problem, 'errors'> & {
  readonly errors?: readonly PlacedProblem[];
  readonly findings?: readonly Finding[];
};

/** The API has answered with a problem. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly problem: ProblemAnswer;

  constructor(problem: ProblemAnswer) {
    super(`${problem.code}: ${problem.detail}`);
    this.problem = problem;
  }

  /** A refusal is the caller's to mend, all else the service's. */
  get exit(): ExitName {
    return failures[this.problem.code].family === 'refused' ? 'refused' : 'failed';
  }
}

/** Nobody answered, or who answered is not Lakeshift. `code` is for programs. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly code = 'UNREACHABLE';
}

/** What was typed can't be meant, or can't be done. Nothing happened. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code = 'COMMAND_REFUSED';
}

/** The code that Node or a driver gave an error (ENOENT, ECONNREFUSED …), or null. */
export const codeOf = (error: unknown): string | null =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : null;

/** Whether it may work a little later: nobody answered, or the service itself is waiting for something. */
export const isPassing = (error: unknown): error is Error =>
  error instanceof Unreachable ||
  (error instanceof ApiProblem &&
    (failures[error.problem.code].family === 'busy' || error.problem.code === 'RATE_LIMITED'));
