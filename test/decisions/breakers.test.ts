import type { Dependency } from '../../contracts/gate.ts';
import type { Breaker, Progress } from '../../contracts/progress.ts';
import { backoff } from '../../decisions/backoff.ts';
import {
  answered,
  areWell,
  areWellSince,
  breakersOf,
  breakerWords,
  clocked,
  looksAt,
  openOnes,
} from '../../decisions/breakers.ts';

const dependency: Dependency = {
  name: 'scores-db',
  probe: { by: 'tcp', address: 'db.data:5432', timeoutMs: 2_000 },
  everyMs: 10_000,
  backoffMs: 60_000,
  fails: 3,
  of: 5,
  closeAfter: 2,
  openForMs: 1_800_000,
};
const now = 1_000_000;
const fresh = (part?: number): Breaker => {
  const stage = { dependencies: [dependency], ...(part === undefined ? {} : { part }) };
  const [breaker] = breakersOf(stage, {}, now);
  if (breaker === undefined) throw new Error('there is a breaker for each dependency');
  return breaker;
};

/** `+` is a good answer, `-` a bad one; each comes at the moment for which it was due. */
function after(
  answers: string,
  wishes: Partial<Dependency> = {},
): { breaker: Breaker; states: string; waits: number[] } {
  let breaker = fresh();
  let [at, states] = [now, ''];
  const waits: number[] = [];
  for (const answer of answers) {
    const fault = answer === '+' ? null : 'no connection';
    breaker = answered(
      { ...dependency, ...wishes },
      breaker,
      { name: 'scores-db', good: fault === null ? 1 : 0, fault, agoMs: 0 },
      at,
    );
    states += { closed: 'c', open: 'o', 'half-open': 'h' }[breaker.state];
    waits.push((breaker.nextAt - at) / 1_000);
    at = breaker.nextAt;
  }
  return { breaker, states, waits };
}

describe('a breaker', () => {
  test.each([
    ['stays closed while all is well', '++++++', 'cccccc', {}],
    ['stays closed with fewer bad answers than are borne', '--+++--', 'ccccccc', {}],
    ['opens with the third of five', '-+--', 'ccco', {}],
    ['opens with what came before good answers, as long as that is among the last five', '--++-', 'cccco', {}],
    ['forgets what is older than that', '--+++-', 'cccccc', {}],
    ['is not opened by a good answer', '--+++++', 'ccccccc', {}],
    ['is tried with the first good answer and closes with the second in a row', '---++', 'ccohc', {}],
    ['opens again with the first bad one while it is tried', '---+-++', 'ccohohc', {}],
    ['closes at once where one good answer is enough', '---+', 'ccoc', { closeAfter: 1 }],
    ['begins to count anew once it is closed', '---++--+-', 'ccohcccco', {}],
    ['takes more good answers than it remembers bad ones', '-+++', 'ohhc', { fails: 1, of: 1, closeAfter: 3 }],
  ] as const)('%s', (_, answers, expected, wishes) => {
    expect(after(answers, wishes).states).toBe(expected);
  });

  test('is looked at less and less often while it is open, and at its own pace when it is tried', () => {
    const { waits } = after('-------+-++');
    expect(waits).toEqual([10, 10, 10, 20, 40, 60, 60, 10, 10, 10, 10]);
  });

  test('keeps since when and why it is open, and for how long it has answered', () => {
    const { breaker } = after('-----');
    expect(breaker).toMatchObject({ since: now + 20_000, because: 'no connection', waits: 3 });
    expect(breakerWords(breaker)).toBe('scores-db is open: no connection');
    expect(breakerWords(after('---++').breaker)).toBe('scores-db is closed');
  });

  test('is the same one when nothing was seen', () => {
    const breaker = fresh();
    expect(answered(dependency, breaker, undefined, now)).toBe(breaker);
    expect(answered(dependency, breaker, { name: 'scores-db', good: 0, fault: null, agoMs: 0 }, now)).toBe(breaker);
  });

  test('takes a slice of good answers with a bad one after them as they came', () => {
    const { breaker } = after('--');
    const next = answered(dependency, breaker, { name: 'scores-db', good: 3, fault: 'no answer', agoMs: 500 }, now);
    expect(next).toMatchObject({ state: 'closed', answers: [false, true, true, true, false], nextAt: now + 9_500 });
    const many = answered(dependency, breaker, { name: 'scores-db', good: 100_000, fault: null, agoMs: 0 }, now);
    expect(many.answers).toEqual([true, true, true, true, true]);
  });

  test('of another part of the plan, though of the same name, is another one', () => {
    const open = { ...after('---').breaker, part: 1 };
    const progress = { breakers: [open] };
    expect(breakersOf({ dependencies: [dependency], part: 1 }, progress, now)).toEqual([open]);
    expect(breakersOf({ dependencies: [dependency], part: 2 }, progress, now)).toEqual([fresh(2)]);
    expect(breakersOf({}, progress, now)).toEqual([]);
  });
});

test.each([
  ['nobody has looked', '', false],
  ['it answered', '+', true],
  ['its last answer was bad', '+-', false],
  ['it is open', '---', false],
  ['it is being tried', '---+', false],
  ['it is back', '---++', true],
] as const)('a share that needs something is not set when %s', (_, answers, expected) => {
  expect(areWell([after(answers).breaker])).toBe(expected);
});

test('a share whose time is over ends only when all it needs has answered well since', () => {
  const good = { ...after('+').breaker, lookedAt: now };
  expect([areWellSince([good], now), areWellSince([good], now + 1), areWellSince([], now)]).toEqual([
    true,
    false,
    true,
  ]);
  expect(areWellSince([good, { ...after('+-').breaker, lookedAt: now }], now)).toBe(false);
});

test('the clock of one that is not closed runs towards the call, but not while it is paused', () => {
  const [open, closed] = [after('---').breaker, after('+').breaker];
  const both = [dependency, dependency];
  const running = clocked(both, [open, closed], false, now);
  expect(running.map(({ until }) => until)).toEqual([now + 1_800_000, null]);
  expect(clocked(both, running, false, now + 5)).toEqual(running);
  expect(clocked(both, running, true, now + 5).map(({ until }) => until)).toEqual([null, null]);
  expect(openOnes(running)).toEqual([running[0]]);
  const tried = answered(dependency, running[0] ?? open, { name: 'scores-db', good: 2, fault: null, agoMs: 0 }, now);
  expect([tried.state, tried.until]).toEqual(['closed', null]);
});

describe('what is looked at in a slice', () => {
  const dueIn = (breaker: Breaker, deadline: number | null): unknown => {
    const [look] = looksAt([dependency], [breaker], deadline, now);
    return [look?.waitMs, look?.isWell];
  };
  const good: Breaker = { ...after('+').breaker, lookedAt: now - 1_000, nextAt: now + 9_000 };
  test.each([
    ['what was never looked at: at once', fresh(), null, [0, false]],
    ['what is well: when it is due, and its good answers are no news', good, null, [9_000, true]],
    ['what is due after the end of the time: at its end', good, now + 3_000, [3_000, true]],
    ['what was looked at since: when it is due', { ...good, lookedAt: now }, now - 1, [9_000, true]],
    [
      'what is away: when its longer wait is over',
      { ...after('---').breaker, nextAt: now + 40_000 },
      null,
      [40_000, false],
    ],
    ['what is overdue: at once', { ...good, nextAt: now - 5_000 }, null, [0, true]],
  ] as const)('%s', (_, breaker, deadline, expected) => {
    expect(dueIn(breaker, deadline)).toEqual(expected);
  });
});

test.each([
  [2_000, 30_000, 0, 2_000],
  [2_000, 30_000, 1, 2_000],
  [2_000, 30_000, 4, 16_000],
  [2_000, 30_000, 5, 30_000],
  [2_000, 30_000, 5_000, 30_000],
  [2_000, 1_000, 3, 2_000],
])(
  'with a pace of %i ms and %i ms at the longest, after %i bad answers it waits %i ms',
  (every, longest, bad, expected) => {
    expect(backoff(every, longest, bad)).toBe(expected);
  },
);

test('what is carried of a breaker is bounded', () => {
  const progress: Pick<Progress, 'breakers'> = { breakers: [after('-+'.repeat(200), { fails: 99, of: 99 }).breaker] };
  expect(progress.breakers?.[0]?.answers).toHaveLength(99);
});
