import type { FailureCode } from '../contracts/failures.ts';
import { Refusal } from './problems.ts';

/** The codes with which a spec of many may be refused; of several, the first of these is answered. */
const codes: readonly FailureCode[] = ['SPEC_INVALID', 'SPEC_DIFFERS', 'PLAN_REFUSED'];

/** One refusal for all, with every problem of each. */
export function refusedTogether(refusals: readonly Refusal[], of: number): Refusal {
  const [only, ...more] = refusals;
  if (only !== undefined && more.length === 0) return only;
  const code = codes.find((one) => refusals.some((refusal) => refusal.code === one)) ?? 'INTERNAL';
  const findings = refusals.flatMap(({ facts }) => facts.findings ?? []);
  return new Refusal(code, `${refusals.length} of ${of} specs are refused; nothing was started`, {
    errors: refusals.flatMap(({ facts }) => facts.errors ?? []),
    ...(findings.length === 0 ? {} : { findings }),
  });
}

/** The same refusal of a spec that stands at `pointer` in its request. */
export function under(pointer: string, { code, detail, facts }: Refusal): Refusal {
  const moved = <T extends { readonly pointer?: string }>(problem: T): T => ({
    ...problem,
    pointer: `${pointer}${problem.pointer ?? ''}`,
  });
  return new Refusal(code, detail, {
    ...facts,
    ...(facts.errors === undefined ? {} : { errors: facts.errors.map(moved) }),
    ...(facts.findings === undefined ? {} : { findings: facts.findings.map(moved) }),
  });
}
