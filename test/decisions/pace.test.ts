import fc from 'fast-check';
import { inPlainOrder, nextChunk, pagesDone, type Position } from '../../decisions/pace/next-chunk.ts';
import { pace, type Conditions } from '../../decisions/pace/pace.ts';

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

const quiet: Conditions = {
  othersBusy: 0,
  rate: null,
  chunkMs: 10,
  chunkRows: 5_000,
  chunkPages: 512,
  rowsPerPageAndPass: 5,
  superPages: 1_024,
};

test.each<[string, Partial<Conditions>, object]>([
  ['nobody is there', {}, { pages: 1_024, restMs: 0, reason: 'full speed' }],
  ['a chunk took long', { chunkMs: 300 }, { pages: 256, restMs: 0, reason: 'full speed' }],
  [
    'an application is there',
    { othersBusy: 1, chunkMs: 2 },
    { pages: 10, restMs: 2, reason: 'gives way to the application' },
  ],
  [
    'nobody could look',
    { othersBusy: null, chunkMs: null },
    { pages: 10, restMs: 1, reason: 'cautious until the load is known' },
  ],
  [
    'a rate is ordered',
    { rate: 1_000, chunkRows: 100, chunkMs: 10 },
    { pages: 20, restMs: 90, reason: 'bounded to 1000 rows/s' },
  ],
  [
    'a rate is ordered that is not reached',
    { rate: 1_000_000, chunkRows: 50, chunkMs: 10, othersBusy: 1 },
    { pages: 10, restMs: 10, reason: 'gives way to the application' },
  ],
])('when %s', (_, over, expected) => {
  expect(pace({ ...quiet, ...over })).toEqual(expected);
});
