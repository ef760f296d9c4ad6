import type { Migration } from 'kysely/migration';
import { migration as deployments } from './0001-deployments.ts';
import { migration as plans } from './0002-plans.ts';

/** All migrations by name; they run in the order of their names, each once, and are never edited afterwards. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-deployments': deployments,
  '0002-plans': plans,
};
