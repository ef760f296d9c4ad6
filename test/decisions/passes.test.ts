import { passesFor, type Page } from '../../decisions/pace/passes.ts';

const page = 8_168;
const pointer = 4;

/** Share of the rows that stay on their pages, as PostgreSQL fills, prunes and updates pages of keys that count up. */
function shareThatStays(cuts: readonly number[], bytes: number, fillfactor = 100): number {
  const rows = Math.floor((page * fillfactor) / 100 / (bytes + pointer));
  const parts = cuts.at(-1) ?? 1;
  let stayed = 0;
  for (let firstKey = 0; firstKey < parts; firstKey++) {
    let [room, died] = [page - rows * (bytes + pointer), 0];
    for (const [pass, to] of cuts.slice(1).entries()) {
      room += died * bytes;
      const from = cuts[pass] ?? 0;
      const taken = Array.from({ length: rows }, (_, row) => (firstKey + row) % parts).filter(
        (part) => part >= from && part < to,
      ).length;
      const fit = Math.min(taken, Math.max(0, Math.floor(room / (bytes + 8 + pointer))));
      room -= fit * (bytes + 8 + pointer);
      died = taken;
      stayed += fit;
    }
  }
  return stayed / (parts * rows);
}

describe('passes by a key that counts up', () => {
  test.each([
    // bytes of a row, of its pages so much is full, how many passes at most, share of the rows that stays at least
    [72, 100, 17, 0.82],
    [96, 100, 15, 0.863],
    [128, 100, 13, 0.86],
    [200, 100, 11, 0.84],
    [320, 100, 10, 0.83],
    [336, 100, 10, 0.83],
    [600, 100, 7, 0.84],
    [96, 90, 14, 0.95],
    [96, 80, 7, 0.98],
    [96, 50, 3, 1],
  ])('of rows of %i bytes on pages that are %i %% full, %i passes leave a share of %f where it is', (...row) => {
    const [bytes, fillfactor, most, share] = row;
    const rowsPerPage = Math.floor((page * fillfactor) / 100 / (bytes + pointer));
    const cuts = passesFor({ rowsPerPage, fillfactor, even: true });
    expect(cuts.length - 1).toBeLessThanOrEqual(most);
    expect(shareThatStays(cuts, bytes, fillfactor)).toBeGreaterThanOrEqual(share);
  });

  test('never have more rows of a full page leave first than an ordered index takes in, and take every row once', () => {
    for (let rowsPerPage = 1; rowsPerPage <= 291; rowsPerPage += 0.5) {
      for (const fillfactor of [100, 90, 70]) {
        const cuts = passesFor({ rowsPerPage, fillfactor, even: true });
        const parts = cuts.at(-1) ?? 0;
        expect(cuts[0]).toBe(0);
        expect(cuts).toEqual([...new Set(cuts)].sort((a, b) => a - b));
        expect(parts).toBeGreaterThanOrEqual(rowsPerPage);
        expect(Array.from({ length: parts }, (_, n) => n).filter((n) => n > 1 && parts % n === 0)).toEqual([]);
        if (fillfactor === 100 && cuts.length > 2) expect((cuts[1] ?? 0) / parts).toBeLessThanOrEqual(0.125);
      }
    }
  });
});

test('passes by the hash of a place are those of before', () => {
  const cuts = (over: Partial<Page>) => passesFor({ rowsPerPage: 81, fillfactor: 100, even: false, ...over });
  expect(cuts({})).toEqual([0, 10, 19, 27, 34, 41, 47, 52, 57, 61, 65, 69, 73, 77, 81, 85, 89, 93, 97]);
  expect(cuts({ rowsPerPage: 65, fillfactor: 80 })).toEqual([0, 14, 28, 42, 56, 70, 84, 97]);
  expect(cuts({ rowsPerPage: 20 })).toEqual([0, 16, 32, 48, 64, 80, 97]);
  expect(cuts({ rowsPerPage: 9 })).toEqual([0, 97]);
});
