import { migration as deployments } from './0001-deployments.ts';
import { migration as plans } from './0002-plans.ts';
import { migration as outbox } from './0003-outbox.ts';

import type { ReversibleMigration } from './reversible.ts';

/** All migrations by name; they run in the order of their names, each once, and are never edited afterwards. */
export const migrations: Readonly<Record<string, ReversibleMigration>> = {
  '0001-deployments': deployments,
  '0002-plans': plans,
  '0003-outbox': outbox,
};
