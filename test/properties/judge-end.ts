import { deepStrictEqual as same, ok as holds } from 'node:assert/strict';
import type { Subject } from './subject.ts';

/** A table, a line for each column, constraint, index and trigger. */
type Description = readonly string[];

/** Once all is taken back: the table is as it was, but for columns that have lost values and stay nullable. */
export function judgeRolledBack(now: Description, original: Description, lost: readonly string[]): void {
  const asFarAsKnown = (lines: Description): Description =>
    lines
      .map((line) => (lost.some((name) => line.startsWith(`column ${name} `)) ? line.replace(' not null', '') : line))
      .filter((line) => !lost.some((name) => line.includes(`_${name}_not_null`)));
  same(asFarAsKnown(now), asFarAsKnown(original), 'the table is not as it was');
}

/** After the contract: the new shape is there, and nothing of ours. */
export function judgeContracted(
  now: Description,
  original: Description,
  { dropped, added, madeNotNull }: Subject,
  notNull: readonly string[],
): void {
  same(
    columnsOf(now).toSorted(),
    [...columnsOf(original).filter((name) => !dropped.includes(name)), ...added.map(({ name }) => name)].toSorted(),
    'other columns are there after the contract',
  );
  for (const name of madeNotNull) holds(notNull.includes(name), `${name} is not NOT NULL`);
  same(
    now.filter((line) => /lakeshift|^trigger/.test(line)),
    [],
    'something of ours is left behind',
  );
}

const columnsOf = (lines: Description): readonly string[] =>
  lines.filter((line) => line.startsWith('column')).map((line) => line.split(' ')[1] ?? '');
