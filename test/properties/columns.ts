import type { TestColumn } from './subject.ts';

/** Columns that several subjects have. */
export const note: TestColumn = { name: 'note', type: 'text', values: ['', 'a', 'b'], initial: ['n'] };
const amounts = ['0.00', '0.01', '12.34', '-3.50', '99999.99'];
export const amount: TestColumn = {
  name: 'amount',
  type: 'numeric(7,2)',
  notNull: true,
  values: amounts,
  initial: amounts,
};
export const label: TestColumn = {
  name: 'label',
  type: 'text',
  values: ['x', 'y', null],
  initial: ['x', 'lbl'],
};
export const price: TestColumn = {
  name: 'price',
  type: 'numeric(7,2)',
  values: ['0.50', '3.00', null],
  initial: ['0.50', '3.00', null],
};
export const pieces: TestColumn = {
  name: 'pieces',
  type: 'integer',
  notNull: true,
  values: ['0', '1', '7'],
  initial: ['1', '7'],
};
