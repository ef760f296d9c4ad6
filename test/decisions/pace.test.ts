import fc from 'fast-check';
import { followCheckpoint, type Checkpoint, type CheckpointLook } from '../../decisions/pace/checkpoint.ts';
import { inPlainOrder, nextChunk, pagesDone, type Position } from '../../decisions/pace/next-chunk.ts';
import { pace, type Conditions } from '../../decisions/pace/pace.ts';
import { windowAt, type Window } from '../../decisions/pace/rhythm.ts';
import { steerShare, type Felt, type Share } from '../../decisions/pace/share.ts';
import { brakesOf, type Lag, type Signal, type Signals } from '../../decisions/pace/signals.ts';

test('the chunks of any ground cover every page once in every pass, whatever their sizes', () => {
  fc.assert(
    fc.property(
      fc.record({
        stripes: fc.constantFrom(1, 2, 4, 16),
        superPages: fc.integer({ min: 1, max: 50 }),
        endPage: fc.integer({ min: 0, max: 200 }),
      }),
      fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 20 }),
      (ground, sizes) => {
        const seen = new Map<string, number>();
        let position: Position = { page: 0, pass: 0 };
        let done = 0;
        for (let turn = 0; ; turn++) {
          const chunk = nextChunk(position, ground, sizes[turn % sizes.length] ?? 1);
          if (chunk === null) break;
          for (let page = chunk.from; page < chunk.to; page++)
            seen.set(`${page}/${chunk.pass}`, (seen.get(`${page}/${chunk.pass}`) ?? 0) + 1);
          position = chunk.next;
          expect(pagesDone(position, ground)).toBeGreaterThanOrEqual(done);
          done = pagesDone(position, ground);
        }
        expect(seen.size).toBe(ground.endPage * ground.stripes);
        expect([...seen.values()].every((times) => times === 1)).toBe(true);
        expect(done).toBe(ground.endPage);
      },
    ),
  );
});

test('a row is never left out, however often stripes are left and taken up again, and whenever a new attempt begins', () => {
  fc.assert(
    fc.property(
      fc.record({ superPages: fc.integer({ min: 1, max: 9 }), endPage: fc.integer({ min: 0, max: 40 }) }),
      fc.array(
        fc.record({ pages: fc.integer({ min: 1, max: 12 }), turn: fc.constantFrom('goes on', 'plain', 'stripes') }),
        {
          minLength: 1,
          maxLength: 40,
        },
      ),
      (size, turns) => {
        const done = new Set<string>();
        const ground = (striped: boolean) => ({ ...size, stripes: striped ? 5 : 1 });
        let position: Position = { page: 0, pass: 0 };
        let striped = true;
        for (let step = 0; step < 5_000; step++) {
          const { pages, turn } = turns[step] ?? { pages: 3, turn: 'goes on' };
          if (turn === 'plain' && striped) position = inPlainOrder(position, ground(striped));
          if (turn !== 'goes on') striped = turn === 'stripes';
          const chunk = nextChunk(position, ground(striped), pages);
          if (chunk === null) break;
          for (let page = chunk.from; page < chunk.to; page++)
            for (const part of striped ? [chunk.pass] : [0, 1, 2, 3, 4]) done.add(`${page}/${part}`);
          position = chunk.next;
        }
        expect(done.size).toBe(size.endPage * 5);
      },
    ),
  );
});

const now = 1_000_000;
const seen = <T>(value: T | null, agoMs = 0): Signal<T> => ({ value, at: now - agoMs });
const half: Share = { value: 0.5, reason: 'p99 0.60 ms, alone 0.45 ms: 1.33× of 1.5×', measured: true };

const quiet: Conditions = {
  now,
  busy: seen(0),
  share: half,
  brakes: [],
  offWindow: false,
  rate: null,
  chunkMs: 10,
  chunkRows: 5_000,
  chunkPages: 512,
  page: { rows: 5, work: 10 },
  superPages: 1_024,
};
const someone: Conditions = { ...quiet, busy: seen(1), chunkMs: 0.5, chunkRows: 50, chunkPages: 10 };

describe('the pace', () => {
  test.each<[string, Conditions, object]>([
    ['nobody is there', quiet, { pages: 1_024, restMs: 0, reason: 'full speed' }],
    ['nobody is there and a chunk took long', { ...quiet, chunkMs: 300 }, { pages: 256, restMs: 0 }],
    [
      'an application is there',
      someone,
      {
        pages: 10,
        restMs: 0.5,
        reason: expect.stringMatching(/^gives way to the application: 50 % of the time/) as string,
      },
    ],
    [
      'the numbers behind it are said',
      someone,
      { reason: expect.stringContaining('p99 0.60 ms, alone 0.45 ms') as string },
    ],
    ['a burst took long', { ...someone, chunkMs: 9 }, { pages: 5 }],
    ['the rows of the next pass leave their pages', { ...someone, page: { rows: 10, work: 51 } }, { pages: 2 }],
    ['a page alone is more than a burst', { ...someone, page: { rows: 80, work: 400 } }, { pages: 1 }],
    [
      'nobody could look',
      { ...someone, busy: seen<number>(null) },
      { pages: 10, reason: expect.stringMatching(/^cautious until/) as string },
    ],
    [
      'nobody was there, but that was seen too long ago',
      { ...someone, busy: seen(0, 16_000) },
      { pages: 10, restMs: 4.5, reason: 'cautious: the load was last seen too long ago' },
    ],
    ['the application is looked at alone', { ...someone, offWindow: true }, { pages: 0, restMs: 200 }],
    ['nobody is there, in a window without us', { ...quiet, offWindow: true }, { pages: 1_024, restMs: 0 }],
    [
      'a brake allows less than the control',
      { ...someone, brakes: [{ share: 0.1, reason: 'a standby is 3.0 s and 1 MB behind' }] },
      { pages: 10, restMs: 4.5, reason: 'slows down to 10 % of the time: a standby is 3.0 s and 1 MB behind' },
    ],
    ['a brake allows more than the control', { ...someone, brakes: [{ share: 0.9, reason: 'x' }] }, { restMs: 0.5 }],
    [
      'of two brakes one says stop',
      {
        ...quiet,
        brakes: [
          { share: 0.1, reason: 'x' },
          { share: 0, reason: 'a commit takes 400 ms' },
        ],
      },
      { pages: 0, restMs: 200, reason: 'pauses: a commit takes 400 ms' },
    ],
    [
      'a rate is ordered',
      { ...quiet, rate: 1_000, chunkRows: 100, chunkMs: 10 },
      { pages: 20, restMs: 90, reason: 'bounded to 1000 rows/s' },
    ],
    [
      'a rate is ordered that is not reached',
      { ...someone, rate: 1_000_000 },
      { pages: 10, restMs: 0.5, reason: expect.stringMatching(/^gives way/) as string },
    ],
  ])('when %s', (_, conditions, expected) => {
    expect(pace(conditions)).toMatchObject(expected);
  });

  test('never gets faster by a signal that is missing or old', () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: 0, max: 3 }), { nil: null }),
        fc.double({ min: 0.02, max: 0.95, noNaN: true }),
        fc.integer({ min: 0, max: 60_000 }),
        (busy, value, agoMs) => {
          const known = pace({ ...someone, busy: seen(busy), share: { ...half, value } });
          const old = pace({
            ...someone,
            busy: seen(busy, 15_001 + agoMs),
            share: { ...half, value: Math.min(value, 0.1) },
          });
          expect(old.pages).toBeLessThanOrEqual(known.pages);
          expect(old.restMs).toBeGreaterThanOrEqual(Math.min(known.restMs, 4.5));
        },
      ),
    );
  });
});

describe('a brake', () => {
  const fine: Signals = {
    busy: seen(1),
    lag: seen<Lag>({ seconds: null, bytes: 0 }),
    waiting: seen(0),
    commitMs: seen(2),
    archiveFails: seen(false),
  };
  test.each<[string, Signals, string | null, number]>([
    ['is not there when all is well', fine, null, 1],
    ['is not there for what a plan of before does not ask', { busy: seen(1) }, null, 1],
    [
      'slows down for a standby that is behind',
      { ...fine, lag: seen<Lag>({ seconds: 2.4, bytes: 5e6 }) },
      'a standby is 2.4 s and 5 MB behind',
      0.1,
    ],
    [
      'pauses for a standby that is far behind',
      { ...fine, lag: seen<Lag>({ seconds: null, bytes: 6e8 }) },
      'a standby is 600 MB behind',
      0,
    ],
    [
      'is cautious where our role sees no standby',
      { ...fine, lag: seen<Lag>(null) },
      'our role can not see the lag of the standbys',
      0.25,
    ],
    [
      'slows down for what was last seen long ago',
      { ...fine, lag: seen<Lag>({ seconds: null, bytes: 0 }, 20_000) },
      'the lag of the standbys was last seen 20 s ago',
      0.1,
    ],
    ['slows down for whoever waits for us', { ...fine, waiting: seen(2) }, '2 sessions wait for a lock of ours', 0.1],
    ['lets a commit pass that is slow without us too', { ...fine, commitMs: seen(85) }, null, 1],
    [
      'slows down for commits that are slow because of us',
      { ...fine, commitMs: seen(91) },
      'a commit takes 91 ms, 30 ms without us',
      0.1,
    ],
    [
      'pauses for commits that take long',
      { ...fine, commitMs: seen(310) },
      'a commit takes 310 ms, 30 ms without us',
      0,
    ],
    ['slows down where archiving fails', { ...fine, archiveFails: seen(true) }, 'archiving the log fails', 0.1],
  ])('%s', (_, signals, reason, share) => {
    const [first] = brakesOf(signals, now, { measured: true, commitAloneMs: 30 }).toSorted((a, b) => a.share - b.share);
    expect(first ?? { reason: null, share: 1 }).toEqual({ reason, share });
  });
});

describe('a checkpoint', () => {
  const look = (over: Partial<CheckpointLook>, agoMs = 0): CheckpointLook => ({
    at: now - agoMs,
    doing: null,
    begun: 4,
    written: 100,
    redo: '0/1',
    ...over,
  });
  const follow = (...looks: CheckpointLook[]) => looks.reduce<Checkpoint | null>(followCheckpoint, null);
  const brake = (checkpoint: Checkpoint | null, measured = false, busy = 1) =>
    brakesOf({ busy: seen(busy), checkpoint: seen(checkpoint) }, now, { measured, commitAloneMs: null })[0]?.share ?? 1;

  test('that the wait event shows is waited for while it hurries', () => {
    expect(brake(follow(look({ doing: 'idle' }, 1_000), look({ doing: 'hurried' })))).toBe(0);
    expect(brake(follow(look({ doing: 'hurried' }, 31_000), look({ doing: 'hurried' })))).toBe(0.1);
    expect(brake(follow(look({ doing: 'hurried' }, 1_000), look({ doing: 'idle' })))).toBe(1);
  });
  test('that is spread over minutes slows down only who does not know what the application feels', () => {
    const spread = follow(look({ doing: 'spread' }, 200_000), look({ doing: 'spread' }));
    expect(brake(spread)).toBe(0.25);
    expect(brake(spread, true)).toBe(1);
  });
  test('is seen by the counters where the wait event is hidden, from its begin to its end', () => {
    const [before, begun, writes, ended] = [
      look({}, 3_000),
      look({ begun: 5 }, 2_000),
      look({ begun: 5, written: 300 }, 1_000),
      look({ begun: 5, written: 300, redo: '0/9' }),
    ];
    expect(follow(before, begun)).toMatchObject({ running: true, hurried: null, since: now - 2_000 });
    expect(brake(follow(before, begun, writes))).toBe(0);
    expect(follow(before, begun, writes, ended)).toMatchObject({ running: false, since: null });
  });
  test('that was counted and skipped does not stop us for good', () => {
    expect(follow(look({}, 62_000), look({ begun: 5 }, 61_000), look({ begun: 5 }))).toMatchObject({ running: false });
  });
  test('is unknown at the first look and where nothing can be seen, and hurts nobody who is not there', () => {
    expect(follow(look({}))).toMatchObject({ running: null });
    expect(follow(look({ begun: null }, 1_000), look({ begun: null }))).toMatchObject({ running: null });
    expect(brake(follow(look({})))).toBe(0.25);
    expect(brake(follow(look({ doing: 'hurried' })), false, 0)).toBe(1);
  });
});

describe('the outer control', () => {
  const alone = { ms: 0.5, at: now };
  const beside = (ms: number) => ({ ms, at: now });
  test.each<[string, number, Felt, object]>([
    [
      'goes up while the p99 is well under the bound',
      0.25,
      { alone, beside: beside(0.55), blindBecause: null },
      { value: 0.35, measured: true },
    ],
    [
      'stays where it is close to the bound',
      0.5,
      { alone, beside: beside(0.7), blindBecause: null },
      { value: 0.5, measured: true },
    ],
    [
      'goes down when the p99 is over the bound',
      0.5,
      { alone, beside: beside(0.9), blindBecause: null },
      { value: 0.375, measured: true },
    ],
    ['goes down by half at the most', 0.5, { alone, beside: beside(9), blindBecause: null }, { value: 0.25 }],
    [
      'keeps the share until it was measured',
      0.5,
      { alone, beside: null, blindBecause: null },
      { value: 0.5, measured: false },
    ],
    [
      'crawls without a baseline',
      0.5,
      { alone: null, beside: beside(0.5), blindBecause: null },
      { value: 0.1, measured: false },
    ],
    [
      'holds back without data, and says why',
      0.5,
      { alone, beside: beside(0.5), blindBecause: 'no p99 from shop: not a number' },
      { value: 0.1, reason: 'holds back: no p99 from shop: not a number' },
    ],
  ])('%s', (_, share, felt, expected) => {
    const moved = steerShare(share, felt, 1.5, now);
    expect(moved).toMatchObject({
      ...expected,
      value: expect.closeTo((expected as { value: number }).value, 6) as number,
    });
  });
  test('says both figures and the bound', () => {
    expect(steerShare(0.3, { alone, beside: beside(0.61), blindBecause: null }, 1.5, now).reason).toBe(
      'p99 0.61 ms, alone 0.50 ms: 1.22× of 1.5×',
    );
  });
});

test('the control finds a share that keeps the bound, in noise, and is not far below it', () => {
  // an application whose p99 grows with our share, measured from a few hundred samples: within a fifth of the truth
  let seed = 7;
  const noise = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return 0.8 + (0.4 * seed) / 2_147_483_647;
  };
  const truth = (share: number) => 1 + share ** 2 * 1.6;
  let share = 0.25;
  const shares: number[] = [];
  for (let step = 0; step < 400; step++) {
    const beside = { ms: truth(share) * noise(), at: now };
    share = steerShare(share, { alone: { ms: 1, at: now }, beside, blindBecause: null }, 1.5, now).value;
    if (step >= 20) shares.push(share);
  }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(shares.map(truth))).toBeLessThan(1.5);
  expect(mean(shares)).toBeGreaterThan(0.4);
});

test('windows without us: a few short ones until there is a baseline, then small ones at a steady rhythm', () => {
  const rhythm = { firstMs: 2_000, offMs: 1_000, onMs: 11_000 };
  let window: Window | null = null;
  const offs: boolean[] = [];
  for (let at = 0; at < 32_000; at += 1_000) {
    window = windowAt(window, rhythm, at >= 5_000, at);
    offs.push(window.off);
  }
  const text = offs.map((off) => (off ? '.' : '#')).join('');
  expect(text).toBe(`..##.${'#'.repeat(11)}.${'#'.repeat(11)}.###`);
  expect(windowAt(null, rhythm, true, 0).off).toBe(false);
});
