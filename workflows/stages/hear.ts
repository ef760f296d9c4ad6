import type { WatchFacts } from '../../contracts/activities.ts';
import type { ShiftStage } from '../../contracts/plan.ts';
import { answered, breakersOf, breakerWords } from '../../decisions/breakers.ts';
import type { Run } from '../run.ts';

/** Takes what was seen of the dependencies; each change of a breaker goes into the ledger. */
export function hear(stage: ShiftStage, { answers = [] }: WatchFacts, run: Run): void {
  const { dependencies } = stage;
  if (dependencies === undefined) return;
  const now = Date.now();
  const before = breakersOf(stage, run.progress, now);
  const breakers = before.map((breaker, index) => {
    const dependency = dependencies[index];
    const answer = answers.find(({ name }) => name === breaker.name);
    return dependency === undefined ? breaker : answered(dependency, breaker, answer, now);
  });
  run.update({ ...run.progress, breakers });
  for (const [index, breaker] of breakers.entries()) {
    const { name, state, because } = breaker;
    if (state !== before[index]?.state)
      run.note('breaker', breakerWords(breaker), { name, state, before: before[index]?.state ?? null, because });
  }
}
