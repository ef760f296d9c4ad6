import type { FieldProblem, Problem } from '../contracts/api.ts';
import { failures, type FailureCode } from '../contracts/failures.ts';
import type { Finding } from '../contracts/plan.ts';

/** What a refusal may say besides its code and its detail. */
export interface RefusalFacts {
  readonly errors?: readonly FieldProblem[];
  readonly possible?: readonly string[];
  readonly holder?: string;
  /** What was found in the target, when the plan was refused. */
  readonly findings?: readonly Finding[];
}

/** Thrown where a request can't be answered as asked; becomes a problem of RFC 9457. */
export class Refusal extends Error {
  readonly code: FailureCode;
  readonly detail: string;
  readonly facts: RefusalFacts;

  constructor(code: FailureCode, detail: string, facts: RefusalFacts = {}) {
    super(detail);
    this.name = 'Refusal';
    this.code = code;
    this.detail = detail;
    this.facts = facts;
  }
}

/** The media type of every answer that is an error. */
export const problemType = 'application/problem+json; charset=utf-8';

/** The body of an error's answer. `instance` is the request's id. */
export function problemOf({ code, detail, facts }: Refusal, instance: string): Problem {
  const { status, title } = failures[code];
  return { type: `/problems/${code}`, title, status, code, detail, instance, ...facts };
}

/** A problem in one part of a request; pointers of other parts than the body begin with the part's name. */
export const requestInvalid = (errors: readonly FieldProblem[]): Refusal =>
  new Refusal('REQUEST_INVALID', errors.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; '), {
    errors,
  });
