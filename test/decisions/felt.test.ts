import type { Felt } from '../../contracts/progress.ts';
import { addFelt } from '../../decisions/felt.ts';

const felt = (over: Partial<Felt>): Felt => ({
  by: 'our own probe',
  p99AloneMs: 0.4,
  p99BesideMs: 0.6,
  measuredMs: 10_000,
  longestMs: 9,
  lockWaits: 0,
  deadlocks: 0,
  errors: 0,
  ...over,
});
const nothing = felt({ by: null, p99AloneMs: null, p99BesideMs: null, measuredMs: 0, longestMs: null, errors: null });

describe('what was felt in two slices', () => {
  test('is weighed by how long it was measured, and counted together', () => {
    const second = felt({ p99BesideMs: 0.9, measuredMs: 20_000, longestMs: 30, lockWaits: 2, errors: 1 });
    const sum = addFelt(felt({}), second);
    expect(sum).toMatchObject({ measuredMs: 30_000, longestMs: 30, lockWaits: 2, deadlocks: 0, errors: 1 });
    expect(sum.p99BesideMs).toBeCloseTo(0.8, 9);
  });
  test('is that of the first where there was none before', () => {
    expect(addFelt(undefined, nothing)).toEqual(nothing);
  });
  test('of which one had nobody there is that of the other', () => {
    expect(addFelt(nothing, felt({}))).toEqual(felt({}));
    expect(addFelt(felt({}), nothing)).toEqual(felt({}));
  });
  test('with a gap in a count is not counted: a gap is not 0', () => {
    expect(addFelt(felt({}), felt({ errors: null, deadlocks: null, lockWaits: null }))).toMatchObject({
      errors: null,
      deadlocks: null,
      lockWaits: null,
    });
    expect(addFelt(felt({ errors: null }), felt({}))).toMatchObject({ errors: null });
  });
});
