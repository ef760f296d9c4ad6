import type { RouteState } from '../../contracts/route.ts';

/** How a kind of route writes its rules: in each a list of where requests go. */
export interface RuleForm<Rule, Target> {
  readonly targetsOf: (rule: Rule) => readonly Target[];
  readonly withTargets: (rule: Rule, targets: readonly Target[]) => Rule;
  readonly nameOf: (target: Target) => string;
  readonly weightOf: (target: Target) => number;
  /** The same target for that side; null: the only one, as if nobody had ever divided anything. */
  readonly target: (like: Target, name: string, weight: number | null) => Target;
}

export interface Sides {
  readonly stable: string;
  readonly candidate: string;
  /** A side without a share stays listed; absent: it does not. */
  readonly both?: boolean;
}

/** What rules say of two sides. Each rule that names one of them counts, and all have to agree. */
export function splitOf<Rule, Target>(form: RuleForm<Rule, Target>, rules: readonly Rule[], sides: Sides): RouteState {
  const splits = rules.filter((rule) => concerns(form, rule, sides)).map((rule) => weightIn(form, rule, sides));
  const first = splits[0];
  if (first === undefined) return { weight: null, because: `no rule sends requests to ${sides.stable}` };
  return splits.find(({ weight }) => weight === null || weight !== first.weight) ?? first;
}

/** Whether a rule lists both sides, whatever share each has. */
export const listsBoth = <Rule, Target>(form: RuleForm<Rule, Target>, rules: readonly Rule[], sides: Sides): boolean =>
  rules.some((rule) => [sides.stable, sides.candidate].every((name) => targetOf(form, rule, name) !== undefined));

/** The rules with that share for the candidate, everything else as it was. A side that is listed keeps its own fields. */
export const withWeight = <Rule, Target>(
  form: RuleForm<Rule, Target>,
  rules: readonly Rule[],
  sides: Sides,
  weight: number,
): readonly Rule[] =>
  rules.map((rule) => {
    const { stable, candidate, both = false } = sides;
    const [ofStable, ofCandidate] = [targetOf(form, rule, stable), targetOf(form, rule, candidate)];
    const like = ofStable ?? ofCandidate;
    if (like === undefined) return rule;
    const forStable = (part: number | null): Target => form.target(ofStable ?? like, stable, part);
    const forCandidate = (part: number | null): Target => form.target(ofCandidate ?? like, candidate, part);
    if (weight === 0 && !both) return form.withTargets(rule, [forStable(null)]);
    if (weight === 100 && !both) return form.withTargets(rule, [forCandidate(null)]);
    return form.withTargets(rule, [forStable(100 - weight), forCandidate(weight)]);
  });

const targetOf = <Rule, Target>(form: RuleForm<Rule, Target>, rule: Rule, name: string): Target | undefined =>
  form.targetsOf(rule).find((target) => form.nameOf(target) === name);

const isSide = <Target>(
  { nameOf }: Pick<RuleForm<unknown, Target>, 'nameOf'>,
  target: Target,
  { stable, candidate }: Sides,
): boolean => [stable, candidate].includes(nameOf(target));

const concerns = <Rule, Target>(form: RuleForm<Rule, Target>, rule: Rule, sides: Sides): boolean =>
  form.targetsOf(rule).some((target) => isSide(form, target, sides));

function weightIn<Rule, Target>(form: RuleForm<Rule, Target>, rule: Rule, sides: Sides): RouteState {
  const targets = form.targetsOf(rule);
  const other = targets.find((target) => !isSide(form, target, sides));
  if (other !== undefined)
    return { weight: null, because: `a rule sends requests to ${form.nameOf(other)} besides the two sides` };
  const sum = (name: string): number =>
    targets.filter((target) => form.nameOf(target) === name).reduce((all, target) => all + form.weightOf(target), 0);
  return percentOf(sum(sides.stable), sum(sides.candidate));
}

/** Two weights as whole percent on the candidate. */
export function percentOf(stable: number, candidate: number): RouteState {
  const percent = stable + candidate === 0 ? Number.NaN : (100 * candidate) / (stable + candidate);
  const because = `${stable} to ${candidate}`;
  return Number.isInteger(percent)
    ? { weight: percent, because: `${percent} % on the candidate` }
    : { weight: null, because: `${because} is no whole percent` };
}
