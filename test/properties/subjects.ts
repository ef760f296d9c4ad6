import { amount, label, note, pieces } from './columns.ts';
import { centsChange, centsPair, centsValues, converted } from './converted-subjects.ts';
import { filled, filledBy, filledLabel } from './filled-subjects.ts';
import type { Subject } from './subject.ts';
import { product } from './values.ts';

/** Every kind of change, lossless and lossy, total and partial. */
export const subjects = {
  ...converted,
  ...filled,
  several: {
    columns: [amount, pieces, { ...label, initial: ['x', null] }, note],
    added: [
      { name: 'amount_cents', values: centsValues },
      { name: 'total', values: ['1.00', null] },
    ],
    dropped: ['amount'],
    madeNotNull: ['label'],
    changes: [centsChange, { add: 'total numeric(12,2)', up: 'amount * pieces' }, { notNull: 'label', up: `'none'` }],
    rules: [
      centsPair,
      filledBy('total', ({ amount, pieces }) => product(amount ?? null, pieces ?? null), 'with a value'),
      filledLabel,
    ],
  },
} satisfies Record<string, Subject>;

export type SubjectName = keyof typeof subjects;
export const subjectNames = Object.keys(subjects) as readonly SubjectName[]; // the keys of that very object
