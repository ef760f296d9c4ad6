import type { ChangeSpec } from '../../contracts/spec.ts';
import { fails, type Rule } from '../support/row-oracle.ts';
import { amount, note } from './columns.ts';
import type { Subject } from './subject.ts';
import { limit32, printed, scaled, some, within } from './values.ts';

const centsUp = some((amount) => scaled(amount, 2).toString());
const centsDown = some((cents) => (within(BigInt(cents), 10n ** 7n) ? printed(BigInt(cents), 2) : fails));
const cents = { up: 'round(amount * 100)', down: 'amount_cents / 100.0' };
/** What applications write into the new column. */
export const centsValues = ['0', '1', '1234', '-350', '777', '9999999', '10000000', '99999999999', null];
/** How the oracle knows the one from the other. */
export const centsPair = {
  kind: 'pair',
  old: 'amount',
  fresh: 'amount_cents',
  up: centsUp,
  down: centsDown,
  oldNotNull: true,
  oldDefault: null,
  refusesMisfits: false,
} satisfies Rule;
export const centsChange = { type: 'amount', to: 'amount_cents bigint', ...cents } satisfies ChangeSpec;
const centsSubject: Subject = {
  columns: [amount, note],
  added: [{ name: 'amount_cents', values: centsValues }],
  dropped: ['amount'],
  madeNotNull: [],
  changes: [centsChange],
  rules: [centsPair],
};

/** A column becomes one of another name and type. */
export const converted = {
  cents: centsSubject,
  centsRefused: {
    ...centsSubject,
    changes: [{ ...centsChange, misfits: 'refuse' }],
    rules: [{ ...centsPair, refusesMisfits: true }],
  },
  centsWithDefault: {
    ...centsSubject,
    columns: [{ ...amount, default: '0.00' }, note],
    rules: [{ ...centsPair, oldDefault: '0.00' }],
  },
  // the old shape holds more: the way there loses
  rounded: {
    columns: [
      {
        name: 'ratio',
        type: 'numeric(8,4)',
        values: ['1.2345', '2.5000', '-2.5000', '0.4999', '7.0000', null],
        initial: ['1.2345', '2.5000', '-2.5000', '0.4999', '100.0000', null],
      },
      note,
    ],
    added: [{ name: 'percent', values: ['1', '3', '-3', '0', '7', '10000', null] }],
    dropped: ['ratio'],
    madeNotNull: [],
    changes: [{ type: 'ratio', to: 'percent integer', up: 'round(ratio)', down: 'percent' }],
    rules: [
      {
        kind: 'pair',
        old: 'ratio',
        fresh: 'percent',
        up: some((ratio) => scaled(ratio, 0).toString()),
        down: some((percent) => (within(BigInt(percent), 10n ** 4n) ? printed(BigInt(percent) * 10_000n, 4) : fails)),
        oldNotNull: false,
        oldDefault: null,
        refusesMisfits: false,
      },
    ],
  },
  // the new shape holds more: the way back loses
  refined: {
    columns: [
      {
        name: 'qty',
        type: 'integer',
        notNull: true,
        values: ['0', '3', '-7', '2147483647'],
        initial: ['0', '3', '-7', '2147483647'],
      },
      note,
    ],
    added: [{ name: 'qty_exact', values: ['3.00', '2.50', '2.49', '-2.50', '3000000000.00', '7.00'] }],
    dropped: ['qty'],
    madeNotNull: [],
    changes: [{ type: 'qty', to: 'qty_exact numeric(12,2)', up: 'qty', down: 'round(qty_exact)' }],
    rules: [
      {
        kind: 'pair',
        old: 'qty',
        fresh: 'qty_exact',
        up: some((qty) => printed(BigInt(qty) * 100n, 2)),
        down: some((exact) => {
          const whole = scaled(exact, 0);
          return whole < limit32 && whole >= -limit32 ? whole.toString() : fails;
        }),
        oldNotNull: true,
        oldDefault: null,
        refusesMisfits: false,
      },
    ],
  },
  // old writers write what has no new value
  parsed: {
    columns: [
      {
        name: 'code',
        type: 'text',
        values: ['7', '007', '-3', '41', '42', 'abc', '', null],
        initial: ['7', '007', '0', null],
      },
      note,
    ],
    added: [{ name: 'code_no', values: ['7', '-3', '0', '123456', null] }],
    dropped: ['code'],
    madeNotNull: [],
    changes: [{ type: 'code', to: 'code_no integer', up: 'code::integer', down: 'code_no::text' }],
    rules: [
      {
        kind: 'pair',
        old: 'code',
        fresh: 'code_no',
        up: some((code) => (/^-?\d+$/.test(code) ? BigInt(code).toString() : fails)),
        down: (value) => value,
        oldNotNull: false,
        oldDefault: null,
        refusesMisfits: false,
      },
    ],
  },
} satisfies Record<string, Subject>;
