import type { ChangeSpec, Spec } from '../../contracts/spec.ts';
import { fails, type Converted, type Rule, type Value, type Values } from '../support/row-oracle.ts';

/** A column of a table of the test, besides its key. */
export interface TestColumn {
  readonly name: string;
  readonly type: string;
  readonly notNull?: boolean;
  /** SQL constant and what it reads as. */
  readonly default?: string;
  /** What applications write into it, and what it holds before the start. */
  readonly values: readonly Value[];
  readonly initial: readonly Value[];
}

/** A table, a change of it, and the rules by which an oracle knows what comes of it. */
export interface Subject {
  readonly columns: readonly TestColumn[];
  /** Columns that the change adds, with what applications write into them. */
  readonly added: readonly Pick<TestColumn, 'name' | 'values'>[];
  /** Columns that the contract drops. */
  readonly dropped: readonly string[];
  /** Columns that the cutover makes NOT NULL. */
  readonly madeNotNull: readonly string[];
  readonly changes: readonly ChangeSpec[];
  readonly rules: readonly Rule[];
}

/** `-3.5` → −350 with two digits; what has more digits is rounded half away from zero, as numeric is. */
function scaled(text: string, digits: number): bigint {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text) ?? [];
  const kept = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  const up = (fraction[digits] ?? '0') >= '5' ? 1n : 0n;
  return (sign === '-' ? -1n : 1n) * (kept + up);
}

function printed(value: bigint, digits: number): string {
  const text = (value < 0n ? -value : value).toString().padStart(digits + 1, '0');
  const sign = value < 0n ? '-' : '';
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

const within = (value: bigint, limit: bigint): boolean => value < limit && value > -limit;
const some =
  (convert: (text: string) => Converted) =>
  (value: Value): Converted =>
    value === null ? null : convert(value);

const note: TestColumn = { name: 'note', type: 'text', values: ['', 'a', 'b'], initial: ['n'] };

const centsUp = some((amount) => scaled(amount, 2).toString());
const centsDown = some((cents) => (within(BigInt(cents), 10n ** 7n) ? printed(BigInt(cents), 2) : fails));
const cents = { up: 'round(amount * 100)', down: 'amount_cents / 100.0' };
const amounts = ['0.00', '0.01', '12.34', '-3.50', '99999.99'];
const centsValues = ['0', '1', '1234', '-350', '777', '9999999', '10000000', '99999999999', null];
const centsPair = {
  kind: 'pair',
  old: 'amount',
  fresh: 'amount_cents',
  up: centsUp,
  down: centsDown,
  oldNotNull: true,
  oldDefault: null,
  refusesMisfits: false,
} satisfies Rule;
const amount: TestColumn = {
  name: 'amount',
  type: 'numeric(7,2)',
  notNull: true,
  values: amounts,
  initial: amounts,
};
const centsChange = { type: 'amount', to: 'amount_cents bigint', ...cents } satisfies ChangeSpec;
const centsSubject: Subject = {
  columns: [amount, note],
  added: [{ name: 'amount_cents', values: centsValues }],
  dropped: ['amount'],
  madeNotNull: [],
  changes: [centsChange],
  rules: [centsPair],
};

const limit32 = 2n ** 31n;
const upper = (text: Value): Value => text?.toUpperCase() ?? null;
const label: TestColumn = {
  name: 'label',
  type: 'text',
  values: ['x', 'y', null],
  initial: ['x', 'lbl'],
};
const price: TestColumn = {
  name: 'price',
  type: 'numeric(7,2)',
  values: ['0.50', '3.00', null],
  initial: ['0.50', '3.00', null],
};
const pieces: TestColumn = {
  name: 'pieces',
  type: 'integer',
  notNull: true,
  values: ['0', '1', '7'],
  initial: ['1', '7'],
};
const product = (money: Value, count: Value): Value =>
  money === null || count === null ? null : printed(scaled(money, 2) * BigInt(count), 2);
const filledLabel = {
  kind: 'fill',
  column: 'label',
  value: () => 'none',
  on: 'every write',
  emptyIsWrong: 'always',
  backfilled: true,
  emptyIsLost: false,
} satisfies Rule;

/** Every kind of change, lossless and lossy, total and partial. */
export const subjects = {
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

function filledBy(column: string, value: (row: Values) => Converted, emptyIsWrong: 'with a value'): Rule {
  return { kind: 'fill', column, value, on: 'every write', emptyIsWrong, backfilled: true, emptyIsLost: false };
}

/** How rows are known to the server. */
export const keyKinds = {
  bigint: { sql: 'id bigint', columns: ['id'], of: (n: number) => [String(n * 3)] },
  composite: { sql: 'region text, no integer', columns: ['region', 'no'], of: (n: number) => [`r${n % 3}`, String(n)] },
  uuid: {
    sql: 'id uuid',
    columns: ['id'],
    of: (n: number) => [`${((n * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`],
  },
  text: { sql: 'id text', columns: ['id'], of: (n: number) => [`${n % 7}'k",%\\ ${n}`] },
  none: { sql: 'id bigint', columns: [], of: (n: number) => [String(n % 5)] },
} satisfies Record<string, { sql: string; columns: readonly string[]; of: (n: number) => readonly string[] }>;

export type KeyKind = keyof typeof keyKinds;
export const keyNames = Object.keys(keyKinds) as readonly KeyKind[]; // the keys of that very object

/** The spec of a subject. */
export const specOf = (subject: Subject, table: string, conflict: 'old-wins' | 'new-wins'): Spec => ({
  name: 'property',
  strategy: 'expand-contract',
  target: 'shop',
  table: `public.${table}`,
  changes: subject.changes,
  conflict,
});
