import type { Converted, Value } from '../support/row-oracle.ts';

/** `-3.5` → −350 with two digits; what has more digits is rounded half away from zero, as numeric is. */
export function scaled(text: string, digits: number): bigint {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text) ?? [];
  const kept = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  const up = (fraction[digits] ?? '0') >= '5' ? 1n : 0n;
  return (sign === '-' ? -1n : 1n) * (kept + up);
}

/** −350 with two digits → `-3.50`. */
export function printed(value: bigint, digits: number): string {
  const text = (value < 0n ? -value : value).toString().padStart(digits + 1, '0');
  const sign = value < 0n ? '-' : '';
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** Whether a value is nearer to zero than the limit. */
export const within = (value: bigint, limit: bigint): boolean => value < limit && value > -limit;
/** A conversion that leaves NULL alone. */
export const some =
  (convert: (text: string) => Converted) =>
  (value: Value): Converted =>
    value === null ? null : convert(value);
/** The first number that int4 does not hold. */
export const limit32 = 2n ** 31n;
/** As SQL's `upper`. */
export const upper = (text: Value): Value => text?.toUpperCase() ?? null;
/** Money times a count, in money. */
export const product = (money: Value, count: Value): Value =>
  money === null || count === null ? null : printed(scaled(money, 2) * BigInt(count), 2);
