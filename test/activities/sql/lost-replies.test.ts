import { forward, thereAndBack, type Step } from '../../support/deliver.ts';
import { Mould, tell, type Telling } from '../../support/story.ts';

const rows = 400;

describe.each([
  ['forward to its end', forward],
  ['to the cutover and all the way back', thereAndBack],
])('a deployment that goes %s', (_, stepsOf) => {
  let mould: Mould;
  let steps: readonly Step[];
  let undisturbed: Telling;

  beforeAll(async () => {
    mould = await Mould.make(rows);
    steps = stepsOf(mould.plan);
    undisturbed = await tell(mould, steps, null);
  }, 60_000);
  afterAll(() => mould.close());

  test('writes each row once and leaves nothing of ours behind', () => {
    expect(undisturbed.failures).toEqual([]);
    expect(undisturbed.ending).toMatchObject({ most: 1, writes: rows, triggers: 1, checks: 0, home: false });
  });

  test.each(['cut before', 'cut after'] as const)(
    'ends the same when the connection is %s each of its statements',
    async (fate) => {
      const { failures, ending } = await tell(mould, steps, fate);
      expect(ending).toEqual(undisturbed.ending);
      expect(failures.length).toBeGreaterThan(30);
      expect(failures.filter(({ type }) => type !== 'TARGET_UNREACHABLE')).toEqual([]);
    },
    120_000,
  );
});
