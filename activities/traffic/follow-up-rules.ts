import type { FollowUps } from '../../contracts/running.ts';

interface PathMatch {
  readonly type?: string;
  readonly value?: string;
}
interface Match {
  readonly path?: PathMatch;
}
interface BackendRef {
  readonly kind?: string;
  readonly name: string;
}

/** A rule of an HTTPRoute, as far as follow-up requests are concerned. */
export interface FollowUpRule {
  readonly name?: string;
  readonly matches?: readonly Match[];
  readonly backendRefs?: readonly BackendRef[];
}

/** What a coordinator's queries are called; paths of all that is asked about one of them hold its id. */
const anyQuery = '^/(.*/)?[0-9]{8}_[0-9]{6}_[0-9]{5}_';

/** The path of requests about a query of that coordinator, as a regular expression (RE2). */
export const pathOfQueries = (coordinatorId: string): string => `${anyQuery}${coordinatorId}(/.*)?$`;

/**
 * The rules with one more in front for each side whose coordinator is known: the same as the rule that it is for, but for
 * requests about queries of that coordinator only, and to that side alone. Those of before go, unless their side is silent.
 */
export function withFollowUps<R extends FollowUpRule>(
  rules: readonly R[],
  { service, sides }: FollowUps,
  idOf: ReadonlyMap<string, string>,
): readonly R[] {
  const silent = new Set(sides.map((side) => side.service).filter((name) => !idOf.has(name)));
  const kept = rules.filter((rule) => isFollowUp(rule, [...silent]));
  const plain = withoutFollowUps(rules, sides);
  const concerned = plain.filter(({ backendRefs = [] }) => backendRefs.some(names(service)));
  const added = [...idOf].flatMap(([side, id]) => concerned.map((rule) => twin(rule, service, side, id)));
  return [...kept, ...added, ...plain];
}

/** The rules without those that are for requests about queries. */
export const withoutFollowUps = <R extends FollowUpRule>(
  rules: readonly R[],
  sides: FollowUps['sides'],
): readonly R[] =>
  rules.filter(
    (rule) =>
      !isFollowUp(
        rule,
        sides.map((side) => side.service),
      ),
  );

const isFollowUp = ({ matches = [], backendRefs = [] }: FollowUpRule, sides: readonly string[]): boolean =>
  matches.length > 0 &&
  matches.every(({ path }) => path?.type === 'RegularExpression' && path.value?.startsWith(anyQuery) === true) &&
  backendRefs.some(({ name }) => sides.includes(name));

/** Names of rules are unique in a route: it has none. */
function twin<R extends FollowUpRule>({ name: _, ...rule }: R, service: string, side: string, id: string): R {
  const path = { type: 'RegularExpression', value: pathOfQueries(id) };
  const matches = (rule.matches ?? [{}]).map((match) => ({ ...match, path }));
  const different = new Map(matches.map((match) => [JSON.stringify(match), match]));
  const backendRefs = (rule.backendRefs ?? []).filter(names(service)).map((ref) => ({ ...ref, name: side }));
  // TypeScript can't see that a rule without a name, which it need not have, is one
  return { ...rule, matches: [...different.values()], backendRefs } as unknown as R;
}

const names =
  (service: string) =>
  ({ kind = 'Service', name }: BackendRef): boolean =>
    kind === 'Service' && name === service;
