import { forward, thereAndBack, type Step } from '../../support/deliver.ts';
import { Mould, tell, tellTwice } from '../../support/story.ts';

describe.each([
  ['forward to its end', forward],
  ['to the cutover and all the way back', thereAndBack],
])('a deployment that goes %s', (_, stepsOf) => {
  let mould: Mould;
  let steps: readonly Step[];
  let ending: unknown;

  beforeAll(async () => {
    mould = await Mould.make(400);
    steps = stepsOf(mould.plan);
    ending = (await tell(mould, steps, null)).ending;
  }, 60_000);
  afterAll(() => mould.close());

  test('ends the same when each activity is delivered again while its first copy is stuck, wherever that is', async () => {
    const places = [1, 2, 4, 6, 8, 12, 16].flatMap((k) => [
      { k, where: 'before' } as const,
      { k, where: 'after' } as const,
    ]);
    // they mostly wait for each other's locks, so they need not wait for each other
    const told = await Promise.all(places.map(({ k, where }) => tellTwice(mould, steps, k, where)));
    for (const [index, place] of places.entries()) {
      // its transaction was ended, a newer copy has the fence, or the deployment is over and nothing of it is there
      const known = ['done', 'FENCED', 'TARGET_UNREACHABLE', 'TARGET_DRIFTED'];
      const surprises = told[index]?.overtaken.filter(({ end }) => !known.includes(end));
      expect({ place, surprises, ending: told[index]?.ending }).toEqual({ place, surprises: [], ending });
    }
    const ends = new Set(told.flatMap(({ overtaken }) => overtaken.map(({ end }) => end)));
    expect([...ends]).toEqual(expect.arrayContaining(['done', 'FENCED', 'TARGET_UNREACHABLE']));
  }, 240_000);
});
