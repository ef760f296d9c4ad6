import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Plans that were shown, for as long as somebody may want to start the very one that was seen. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
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
