import type { RouteState } from '../../contracts/route.ts';
import { splitOf, withWeight, type RuleForm, type Sides } from './weighted-rules.ts';

/**
 * How a kind of route writes rules for the requests that go to the candidate whatever its share: beside each rule of the
 * two sides a twin for them, as long as the traffic is divided. At 0 and at 100 there is none.
 */
export interface TwinForm<Rule> {
  /** Whether a rule is for such requests only. */
  readonly isMarked: (rule: Rule) => boolean;
  /** The same rule for such requests only. */
  readonly twin: (rule: Rule) => Rule;
}

/** What rules say of two sides, twins included; null for `twins`: there are to be none. */
export function stateOfRules<Rule, Target>(
  form: RuleForm<Rule, Target>,
  twins: TwinForm<Rule> | null,
  rules: readonly Rule[],
  sides: Sides,
): RouteState {
  const plain = rules.filter((rule) => !isTwin(form, twins, rule, sides));
  const state = splitOf(form, plain, sides);
  if (twins === null || state.weight === null) return state;
  const wanted = isDivided(state.weight) ? plain.filter((rule) => names(form, rule, sides)).length : 0;
  const there = rules.filter((rule) => isTwin(form, twins, rule, sides));
  const right = there.every((rule) => splitOf(form, [rule], sides).weight === 100) && there.length === wanted;
  if (right) return state;
  const because = `${there.length} rules instead of ${wanted} send such requests to ${sides.candidate} alone`;
  return { weight: null, because };
}

/** The rules with that share for the candidate, and with their twins in front. */
export function routedRules<Rule, Target>(
  form: RuleForm<Rule, Target>,
  twins: TwinForm<Rule> | null,
  rules: readonly Rule[],
  sides: Sides,
  weight: number,
): readonly Rule[] {
  const plain = rules.filter((rule) => !isTwin(form, twins, rule, sides));
  const divided = withWeight(form, plain, sides, weight);
  if (twins === null || !isDivided(weight)) return divided;
  const concerned = plain.filter((rule) => names(form, rule, sides));
  return [...withWeight(form, concerned, { ...sides, both: false }, 100).map(twins.twin), ...divided];
}

const isDivided = (weight: number): boolean => weight > 0 && weight < 100;

/** A rule for such requests that sends them to neither side is somebody else's. */
const isTwin = <Rule, Target>(
  form: RuleForm<Rule, Target>,
  twins: TwinForm<Rule> | null,
  rule: Rule,
  sides: Sides,
): boolean => twins !== null && twins.isMarked(rule) && names(form, rule, sides);

const names = <Rule, Target>(
  { targetsOf, nameOf }: RuleForm<Rule, Target>,
  rule: Rule,
  { stable, candidate }: Sides,
): boolean => targetsOf(rule).some((target) => [stable, candidate].includes(nameOf(target)));
