import { sql } from 'kysely';
import { putAside, takeBack, type ReversibleMigration } from './reversible.ts';

/** What is to be told to channels outside, and what became of it. */
export const migration: ReversibleMigration = {
  async up(db) {
    if (await takeBack(db, '0003', 'outbox')) return;
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
  down: (db) => putAside(db, '0003', 'outbox'),
};

const statements: readonly string[] = [
  // No reference to deployments: put aside, it would keep the tables of the migrations before it from going.
  `create table lakeshift_ledger.outbox (
    deployment text not null,
    seq integer not null,
    channel text not null,
    message jsonb not null,
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'given-up')),
    refused boolean not null default false,
    tries integer not null default 0,
    noted_at timestamptz not null default clock_timestamp(),
    next_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    answer text,
    primary key (deployment, seq, channel)
  )`,
  `create index outbox_due on lakeshift_ledger.outbox (channel, next_at) where state = 'waiting'`,
  `create index outbox_ended on lakeshift_ledger.outbox (ended_at) where state <> 'waiting'`,
];
