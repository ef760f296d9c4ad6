import { find, workOf } from '../../decisions/pace/burst.ts';

describe('the work of a page', () => {
  const found = (pages: number, rows: number, hot: number | null) => find(null, { pages, rows, hot });
  test.each([
    ['is mostly that of the rows that leave it', found(10, 100, 0), 51.5],
    ['is that of its rows when all stay', found(10, 50, 50), 6.5],
    ['is never taken for nothing: the next page may have all its rows', found(10, 0, 0), 3],
    ['is guessed to be dear where the rows that leave were not counted', found(10, 50, null), 11.5],
    ['is guessed in the first pass to be that of rows that leave', null, 61.5],
  ])('%s', (_, seen, work) => {
    expect(workOf(seen, 6, true).work).toBeCloseTo(work);
  });
  test('follows what each further chunk finds', () => {
    let seen = found(10, 100, 0);
    for (let chunk = 0; chunk < 10; chunk++) seen = find(seen, { pages: 2, rows: 20, hot: 20 });
    expect(seen.cold).toBeLessThan(0.5);
    expect(workOf(seen, 6, false)).toMatchObject({ rows: 10 });
  });
});
