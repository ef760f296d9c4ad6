import type { Spec } from '../../contracts/spec.ts';

/** Changes of a table `orders`, whose application can bear that statements are prepared anew. */
export const ordersSpec = (...changes: Spec['changes']): Spec => ({
  name: 'orders-change',
  strategy: 'expand-contract',
  target: 'shop',
  table: 'public.orders',
  changes,
  cutover: { accept: 'prepared-statement-errors' },
});
