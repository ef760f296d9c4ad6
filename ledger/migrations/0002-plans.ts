import { sql } from 'kysely';
import { putAside, takeBack, type ReversibleMigration } from './reversible.ts';

/** Plans that were shown, for as long as somebody may want to start the very one that was seen. */
export const migration: ReversibleMigration = {
  async up(db) {
    if (await takeBack(db, '0002', 'plans')) return;
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
  down: (db) => putAside(db, '0002', 'plans'),
};

const statements: readonly string[] = [
  `create table lakeshift_ledger.plans (
    hash text primary key,
    spec_hash text not null,
    name text not null,
    target text not null,
    plan jsonb not null,
    made_at timestamptz not null
  )`,
  `create index plans_oldest on lakeshift_ledger.plans (made_at)`,
];
