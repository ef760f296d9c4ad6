import { literal, quote } from './identifier.ts';
import type { Ours } from './ours.ts';

/**
 * SQL behind FROM: the misfits `m` of a deployment whose row `r` is still there and fulfils a condition. Without a key
 * rows can't be found again, and each misfit counts.
 */
export function misfitsOf(ours: Ours, condition: string): string {
  const misfits = `${quote(ours.homeSchema)}.misfits AS m`;
  const mine = `m.mark = ${literal(ours.mark)}`;
  if (ours.key.length === 0) return `${misfits} WHERE ${mine}`;
  const same = ours.key
    .map(({ name, type }, index) => `r.${quote(name)} = (m.key ->> ${index})::${type}`)
    .join(' AND ');
  return `${misfits} JOIN ${quote(ours.schema)}.${quote(ours.table)} AS r ON ${same} WHERE ${mine} AND ${condition}`;
}

/** The row's key as a JSON array of texts; without a key a name of its own for each write, so that each counts. */
export const keyOf = (ours: Ours, prefix: string): string =>
  ours.key.length === 0
    ? 'jsonb_build_array(gen_random_uuid()::text)'
    : `jsonb_build_array(${ours.key.map(({ name }) => `${prefix}${quote(name)}::text`).join(', ')})`;
