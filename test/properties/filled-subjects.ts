import { fails, type Converted, type Rule, type Values } from '../support/row-oracle.ts';
import { label, note, pieces, price } from './columns.ts';
import type { Subject } from './subject.ts';
import { product, upper } from './values.ts';

/** A column that may not be empty gets a word. */
export const filledLabel = {
  kind: 'fill',
  column: 'label',
  value: () => 'none',
  on: 'every write',
  emptyIsWrong: 'always',
  backfilled: true,
  emptyIsLost: false,
} satisfies Rule;

/** A column is added, goes, or may no longer be empty: its values are filled in. */
export const filled = {
  added: {
    columns: [price, pieces, note],
    added: [{ name: 'total', values: ['1.00', null] }],
    dropped: [],
    madeNotNull: [],
    changes: [{ add: 'total numeric(12,2)', up: 'price * pieces' }],
    rules: [filledBy('total', ({ price, pieces }) => product(price ?? null, pieces ?? null), 'with a value')],
  },
  addedAndPartial: {
    columns: [pieces, note],
    added: [{ name: 'share', values: ['50', null] }],
    dropped: [],
    madeNotNull: [],
    changes: [{ add: 'share integer', up: '100 / pieces' }],
    rules: [
      filledBy(
        'share',
        ({ pieces }) => (pieces === '0' ? fails : (100n / BigInt(pieces ?? '1')).toString()),
        'with a value',
      ),
    ],
  },
  dropped: {
    columns: [{ name: 'legacy', type: 'text', notNull: true, values: ['L', 'M'], initial: ['L'] }, label, note],
    added: [],
    dropped: ['legacy'],
    madeNotNull: [],
    changes: [{ drop: 'legacy', down: 'upper(label)' }],
    rules: [
      {
        kind: 'fill',
        column: 'legacy',
        value: ({ label }) => upper(label ?? null),
        on: 'every write',
        emptyIsWrong: 'never',
        backfilled: false,
        emptyIsLost: true,
      },
    ],
  },
  droppedOptional: {
    columns: [{ name: 'legacy', type: 'text', values: ['L', null], initial: ['L', null] }, label, note],
    added: [],
    dropped: ['legacy'],
    madeNotNull: [],
    changes: [{ drop: 'legacy', down: 'upper(label)' }],
    rules: [
      {
        kind: 'fill',
        column: 'legacy',
        value: ({ label }) => upper(label ?? null),
        on: 'insert',
        emptyIsWrong: 'never',
        backfilled: false,
        emptyIsLost: false,
      },
    ],
  },
  notNull: {
    columns: [{ ...label, initial: ['x', null] }, note],
    added: [],
    dropped: [],
    madeNotNull: ['label'],
    changes: [{ notNull: 'label', up: `'none'` }],
    rules: [filledLabel],
  },
  notNullPartial: {
    columns: [
      { ...label, initial: ['x', null] },
      { name: 'code', type: 'text', values: ['C', 'D', null], initial: ['C'] },
      note,
    ],
    added: [],
    dropped: [],
    madeNotNull: ['label'],
    changes: [{ notNull: 'label', up: 'lower(code)' }],
    rules: [{ ...filledLabel, value: ({ code }) => code?.toLowerCase() ?? null }],
  },
} satisfies Record<string, Subject>;

/** How the oracle knows a column that is filled on every write. */
export function filledBy(column: string, value: (row: Values) => Converted, emptyIsWrong: 'with a value'): Rule {
  return { kind: 'fill', column, value, on: 'every write', emptyIsWrong, backfilled: true, emptyIsLost: false };
}
