import { sql } from 'kysely';
import { LedgerRefusal } from '../failure.ts';
import type { ReversibleMigration } from './reversible.ts';

/** Deployments, what happened to them, and what is read from that. Names are spelt out: a migration stays as it is. */
export const migration: ReversibleMigration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
  async down(db) {
    const { rows } = await sql`select from lakeshift_ledger.deployments limit 1`.execute(db);
    if (rows.length > 0)
      throw new LedgerRefusal('the ledger holds deployments, and before 0001 there is no place for any');
    await sql.raw(`drop table ${tables.map((table) => `lakeshift_ledger.${table}`).join(', ')}`).execute(db);
  },
};

const tables = ['live_progress', 'approvals', 'orders', 'verdicts', 'readings', 'stages', 'events', 'deployments'];

const fact = `
  deployment text not null references lakeshift_ledger.deployments (id) on delete cascade,
  seq integer not null,
  at timestamptz not null,
  stage text,
  primary key (deployment, seq)`;

const statements: readonly string[] = [
  `create table lakeshift_ledger.deployments (
    id text primary key,
    name text not null,
    target text not null,
    strategy text not null,
    environment text,
    spec_hash text,
    plan_hash text not null,
    plan jsonb,
    status jsonb,
    phase text,
    stage text,
    started_by text not null,
    started_at timestamptz not null,
    changed_at timestamptz,
    seq integer not null default 0,
    key_scope text,
    key_hash text,
    attempt uuid,
    unique (key_scope, key_hash)
  )`,
  `create index deployments_newest on lakeshift_ledger.deployments (started_at, id) where status is not null`,
  `create index deployments_name on lakeshift_ledger.deployments (name, started_at)`,
  `create index deployments_phase on lakeshift_ledger.deployments (phase, started_at)`,
  `create index deployments_target on lakeshift_ledger.deployments (target, started_at)`,
  `create table lakeshift_ledger.events (${fact},
    kind text not null,
    text text not null,
    data jsonb not null,
    recorded_at timestamptz not null default clock_timestamp()
  )`,
  `create table lakeshift_ledger.stages (
    deployment text not null references lakeshift_ledger.deployments (id) on delete cascade,
    name text not null,
    position integer not null,
    state text not null,
    began_at timestamptz,
    ended_at timestamptz,
    note text,
    rows bigint,
    total_rows bigint,
    primary key (deployment, name)
  )`,
  `create table lakeshift_ledger.readings (${fact}, name text, value double precision, unit text)`,
  `create table lakeshift_ledger.verdicts (${fact}, decision text, because text)`,
  `create table lakeshift_ledger.orders (${fact},
    order_name text,
    order_id text,
    actor text,
    role text,
    via text,
    reason text,
    taken boolean not null,
    refused_with text
  )`,
  `create table lakeshift_ledger.approvals (${fact},
    actor text,
    role text,
    groups jsonb,
    reason text,
    plan_hash text,
    evidence_hash text,
    counts boolean not null,
    because text
  )`,
  // No reference to deployments: a backfill must never fail because the record of its own start is late.
  `create table lakeshift_ledger.live_progress (
    deployment text primary key,
    stage text not null,
    rows bigint not null,
    total_rows bigint,
    rate double precision,
    seconds_to_go double precision,
    pace text not null,
    at timestamptz not null
  )`,
];
