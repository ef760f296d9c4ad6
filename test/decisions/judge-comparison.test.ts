import type { ComparedCounts, Comparison } from '../../contracts/gate.ts';
import { judgeComparison } from '../../decisions/judge-comparison.ts';
import { judgeWindows } from '../../decisions/judge-windows.ts';
import { gateOf, gateWords } from '../../decisions/releases/gates.ts';

const sides = { candidate: { part: 'a', whole: 'b' }, stable: { part: 'c', whole: 'd' } };
const accuracy: Comparison = { name: 'accuracy', better: 'more', ...sides, margin: 0.01, atLeast: 100 };
const counts = (part: number, whole: number, ofStable: number, stable: number): ComparedCounts => ({
  candidate: { part, whole },
  stable: { part: ofStable, whole: stable },
});

describe('what is compared with the stable side', () => {
  test.each<[string, Partial<Comparison>, ComparedCounts | null, string, string]>([
    ['is as good', {}, counts(90_000, 100_000, 90_000, 100_000), 'promote', 'accuracy 90.00 % beside 90.00 %'],
    ['is better', {}, counts(990, 1_000, 9_000, 10_000), 'promote', 'accuracy 99.00 % beside 90.00 %'],
    [
      'is worse',
      {},
      counts(800, 1_000, 9_000, 10_000),
      'rollback',
      'accuracy 80.00 % beside 90.00 %, worse by more than 1.00 %',
    ],
    [
      'is worse, where less is better',
      { name: 'refunds', better: 'less' },
      counts(200, 1_000, 1_000, 10_000),
      'rollback',
      'refunds 20.00 % beside 10.00 %, worse by more than 1.00 %',
    ],
    ['is better, where less is better', { better: 'less' }, counts(10, 1_000, 1_000, 10_000), 'promote', ''],
    [
      'is as good by what was counted, and too little was',
      {},
      counts(90, 100, 900, 1_000),
      'hold',
      'accuracy 90.00 % beside 90.00 %: too few to tell whether worse by more than 1.00 %',
    ],
    ['is perfect, and too little was counted', {}, counts(100, 100, 100, 100), 'hold', ''],
    ['is worse within the margin', { margin: 0.15 }, counts(8_000, 10_000, 9_000, 10_000), 'promote', ''],
    [
      'was counted too seldom',
      {},
      counts(0, 99, 900, 1_000),
      'hold',
      'accuracy: 99 counted on one side, fewer than 100',
    ],
    ['was not measured', {}, null, 'hold', 'accuracy: not measured in the last window'],
    [
      'has more of a part than of the whole',
      {},
      counts(1_001, 1_000, 900, 1_000),
      'hold',
      'accuracy: 1001 of 1000 were counted, which can not be',
    ],
  ])('and %s', (_, wishes, seen, decision, because) => {
    const verdict = judgeComparison({ ...accuracy, ...wishes }, seen);
    expect(verdict.decision).toBe(decision);
    expect(verdict.because).toContain(because);
  });

  test('stops next to none that is as good as it must be, however often one looks, and all that are far worse', () => {
    const random = randomOf(7);
    const stops = (candidate: number): number =>
      Array.from({ length: 100 }, () => stopped(candidate, 0.9, random)).filter(Boolean).length;
    // at the very margin: an interval for one look would be left by several of them
    expect(stops(0.89)).toBeLessThanOrEqual(2);
    expect(stops(0.8)).toBeGreaterThanOrEqual(98);
  });
});

/** Whether a candidate is stopped in an hour of looks each minute, 300 requests a minute, a quarter of them on it. */
function stopped(candidate: number, stable: number, random: () => number): boolean {
  const sum = { candidate: { part: 0, whole: 0 }, stable: { part: 0, whole: 0 } };
  for (let minute = 0; minute < 60; minute++) {
    for (let request = 0; request < 300; request++) {
      const [side, chance] = random() < 0.25 ? [sum.candidate, candidate] : [sum.stable, stable];
      side.whole += 1;
      if (random() < chance) side.part += 1;
    }
    if (judgeComparison(accuracy, sum).decision === 'rollback') return true;
  }
  return false;
}

/** Always the same numbers from 0 to 1: a test that fails by chance proves nothing. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('a gate that compares', () => {
  const spec = { metrics: 'shop', requests: 'r', compare: [{ name: 'accuracy', ...sides }], fail: '1 of 2' };
  const gate = gateOf(spec);
  if (gate === null) throw new Error('there is one');
  const window = { from: 0, to: 60_000, requests: 1_000, values: {} };
  const good = { accuracy: counts(90_000, 100_000, 90_000, 100_000) };

  test('has its usual margin and number, and says what it asks', () => {
    expect(gate.compares).toEqual([accuracy]);
    expect(gateWords(gate)).toBe('; accuracy ≥ stable ± 1 %');
    expect(gateWords(gateOf({ ...spec, errors: { query: 'e', max: '0.1%' } }))).toBe(
      '; errors ≤ 0.1 %, 1 of 2 windows, accuracy ≥ stable ± 1 %',
    );
  });

  test('promotes when all agree, and never for want of data', () => {
    expect(judgeWindows(gate, [window], null, good)).toEqual({
      decision: 'promote',
      because: 'accuracy 90.00 % beside 90.00 %',
    });
    expect(judgeWindows(gate, [window], null, {}).decision).toBe('hold');
    expect(judgeWindows(gate, [window]).decision).toBe('hold');
    expect(judgeWindows(gate, [], null, good).decision).toBe('hold');
    expect(judgeWindows(gate, [window], 'the source is silent', good).decision).toBe('hold');
    expect(judgeWindows(gate, [{ ...window, requests: 3 }], null, good).decision).toBe('hold');
  });

  test('goes back for what is worse, also when nothing new is seen', () => {
    const bad = { accuracy: counts(8_000, 10_000, 9_000, 10_000) };
    expect(judgeWindows(gate, [window], null, bad).decision).toBe('rollback');
    expect(judgeWindows(gate, [], 'the source is silent', bad).decision).toBe('rollback');
  });
});
