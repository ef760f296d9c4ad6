import { roles, type OrderName } from '../contracts/catalog.ts';
import type { Actor, Order } from '../contracts/messages.ts';

/**
 * Reads an order as it comes from the wire, where anybody may write anything. What is missing or of another type is
 * read as empty (text), null (hashes, signature) or NaN (numbers), and then refused by `refuseOrder` by its name.
 */
export function readOrder(order: OrderName, value: unknown): Order {
  const fields = asFields(value);
  const base = {
    order,
    actor: asActor(fields['actor']),
    reason: asText(fields['reason']),
    stage: asText(fields['stage']),
    id: asText(fields['id']),
  };
  // TypeScript cannot see that the fields that are read belong to the order of this name.
  return { ...base, ...particulars[order](fields) } as Order;
}

type Fields = Readonly<Record<string, unknown>>;

const nothing = (): object => ({});
const approval = (fields: Fields): object => ({
  planHash: asText(fields['planHash']),
  evidenceHash: asTextOrNull(fields['evidenceHash']),
  signature: asTextOrNull(fields['signature']),
});

const particulars: Readonly<Record<OrderName, (fields: Fields) => object>> = {
  pause: nothing,
  resume: nothing,
  approve: approval,
  reject: approval,
  abort: nothing,
  rollback: nothing,
  retry: nothing,
  skip: approval,
  extend: (fields) => ({ byMs: asNumber(fields['byMs']) }),
  setRate: (fields) => ({ rowsPerSecond: fields['rowsPerSecond'] === null ? null : asNumber(fields['rowsPerSecond']) }),
};

function asActor(value: unknown): Actor {
  const fields = asFields(value);
  return {
    name: asText(fields['name']),
    role: roles.find((role) => role === fields['role']) ?? 'viewer',
    groups: Array.isArray(fields['groups']) ? fields['groups'].filter((group) => typeof group === 'string') : [],
    via: fields['via'] === 'api' ? 'api' : 'temporal',
  };
}

const asFields = (value: unknown): Fields =>
  // Any object may be read as a record of unknown fields.
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
const asTextOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const asNumber = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);
