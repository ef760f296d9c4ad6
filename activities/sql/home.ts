import { activityInfo } from '@temporalio/activity';
import type { Site } from '../../contracts/activities.ts';
import { homeMark, homeTables } from '../../contracts/home.ts';
import { failure } from '../failures.ts';
import { textOf, type Session } from './session.ts';
import { sqlStateOf } from './sql-failure.ts';

/** Our own schema in a target, quoted. */
export const home = ({ homeSchema }: Pick<Site, 'homeSchema'>): string => quote(homeSchema);

/** A name as it stands in SQL. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** What `pg_stat_activity` shows for a session of a deployment; at most 63 bytes, so the id's end is what counts. */
export const sessionName = ({ deployment, turn }: Pick<Site, 'deployment' | 'turn'>): string =>
  `lakeshift ${deployment.slice(-40)} #${turn}`;

/** Makes our schema and its three tables if need be. Several workers may try at once. */
export async function openHome(session: Session, site: Pick<Site, 'homeSchema'>): Promise<void> {
  const schema = home(site);
  await session.query(`SELECT pg_advisory_xact_lock(hashtext('lakeshift home'))`);
  const there = await session.query(
    `SELECT to_regclass($2) IS NOT NULL AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = 'guard') AS ready`,
    [`${schema}.progress`, `${schema}.misfits`],
  );
  if (there[0]?.['ready'] === true) return;
  const schemaThere = await session.query('SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS ready', [
    site.homeSchema,
  ]);
  if (schemaThere[0]?.['ready'] !== true) {
    await session.query(`CREATE SCHEMA ${schema}`);
    await session.query(`COMMENT ON SCHEMA ${schema} IS '${homeMark}'`);
  }
  for (const sql of tables(schema)) await session.query(sql);
}

const tables = (schema: string): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS ${schema}.claims (
     deployment text PRIMARY KEY, table_oid oid NOT NULL, table_name text NOT NULL, columns text[] NOT NULL, whole_table boolean NOT NULL,
     mark text NOT NULL, turn bigint NOT NULL, fence bigint NOT NULL, altered text[] NOT NULL DEFAULT '{}', paused boolean NOT NULL DEFAULT false, rate int, claimed_at timestamptz NOT NULL DEFAULT now())`,
  // the row is updated with each chunk: room on its page keeps those updates HOT
  `CREATE TABLE IF NOT EXISTS ${schema}.progress (
     deployment text NOT NULL REFERENCES ${schema}.claims ON DELETE CASCADE, stage text NOT NULL, shard int NOT NULL,
     seq bigint NOT NULL DEFAULT 0, fence bigint NOT NULL DEFAULT 0, pass_id text NOT NULL DEFAULT '', page bigint NOT NULL DEFAULT 0, pass int NOT NULL DEFAULT 0,
     end_page bigint, filenode text, rows bigint NOT NULL DEFAULT 0, deferred jsonb NOT NULL DEFAULT '[]', place jsonb, wrong bigint NOT NULL DEFAULT 0,
     lossy bigint NOT NULL DEFAULT 0, keys text[] NOT NULL DEFAULT '{}', finished boolean NOT NULL DEFAULT false, updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (deployment, stage, shard)) WITH (fillfactor = 10)`,
  // what came later, for a schema that a deployment under way has brought
  `ALTER TABLE ${schema}.progress ADD COLUMN IF NOT EXISTS heap text NOT NULL DEFAULT '', ADD COLUMN IF NOT EXISTS heap_name text NOT NULL DEFAULT '',
     ADD COLUMN IF NOT EXISTS from_page bigint NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS hot bigint NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS guard jsonb`,
  `CREATE TABLE IF NOT EXISTS ${schema}.misfits (mark text NOT NULL, key jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (mark, key))`,
];

/** Lets the owner of a table use our schema, when our role works as that owner. */
export async function letIn(session: Session, site: Pick<Site, 'homeSchema'>, owner: string): Promise<void> {
  const schema = home(site);
  await session.query(`GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${quote(owner)}`);
  const tables = `${schema}.claims, ${schema}.progress, ${schema}.misfits`;
  await session.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables} TO ${quote(owner)}`);
}

/** Takes that back, unless another deployment works as the same owner: a schema that others made stays as it was. */
export async function turnOut(session: Session, site: Site): Promise<void> {
  const [found] = await session.query(
    `SELECT pg_get_userbyid(t.relowner) AS owner FROM ${home(site)}.claims AS c JOIN pg_class AS t ON t.oid = c.table_oid
     WHERE c.deployment = $1 AND NOT pg_has_role(t.relowner, 'USAGE') AND NOT EXISTS (
       SELECT FROM ${home(site)}.claims AS o JOIN pg_class AS u ON u.oid = o.table_oid WHERE o.deployment <> $1 AND u.relowner = t.relowner)`,
    [site.deployment],
  );
  if (found !== undefined)
    await session.query(`REVOKE ALL ON SCHEMA ${home(site)} FROM ${quote(textOf(found['owner']))}`);
}

/** Drops our schema if we made it and nobody uses it any more. */
export async function closeHome(session: Session, site: Pick<Site, 'homeSchema'>): Promise<void> {
  const schema = home(site);
  await session.query(`SELECT pg_advisory_xact_lock(hashtext('lakeshift home'))`);
  const rows = await session.query(
    `SELECT NOT EXISTS (SELECT FROM ${schema}.claims) AS unused, obj_description(oid, 'pg_namespace') = $2 AS ours FROM pg_namespace WHERE nspname = $1`,
    [site.homeSchema, homeMark],
  );
  if (rows[0]?.['unused'] !== true) return;
  await session.query(`DROP TABLE IF EXISTS ${homeTables.map((table) => `${schema}.${table}`).join(', ')}`);
  if (rows[0]['ours'] === true) await session.query(`DROP SCHEMA IF EXISTS ${schema}`);
}

/**
 * Where a delivery of an activity stands among all of its deployment, the latest highest: by turn, then by attempt. So
 * a first copy that wakes up late is behind a second one even when it has not done anything yet.
 */
export const deliveryOf = ({ turn }: Pick<Site, 'turn'>): number =>
  turn * 1_000 + Math.min(activityInfo().attempt, 999);

/**
 * Takes the fence for one attempt at an effect. Every older attempt is refused from then on, and so is this one if a
 * newer one has been seen.
 */
export async function takeFence(session: Session, site: Site): Promise<number> {
  const rows = await onOurs(() =>
    session.query(
      `UPDATE ${home(site)}.claims SET turn = $2, fence = fence + 1 WHERE deployment = $1 AND turn <= $2 RETURNING fence::float8`,
      [site.deployment, deliveryOf(site)],
    ),
  );
  const fence = rows[0]?.['fence'];
  if (typeof fence !== 'number') throw await withoutFence(session, site);
  return fence;
}

/** Overtaken, or without a lock at all: a failover may have taken it back, or somebody has. */
async function withoutFence(session: Session, site: Site): Promise<Error> {
  const held = await session.query(`SELECT 1 AS held FROM ${home(site)}.claims WHERE deployment = $1`, [
    site.deployment,
  ]);
  return held.length > 0 ? fenced(site) : gone();
}

/** Locks the claim for the rest of the transaction, if this attempt still holds the fence. */
export async function holdFence(session: Session, site: Site, fence: number): Promise<void> {
  const rows = await onOurs(() =>
    session.query(`SELECT 1 AS held FROM ${home(site)}.claims WHERE deployment = $1 AND fence = $2 FOR UPDATE`, [
      site.deployment,
      fence,
    ]),
  );
  if (rows.length !== 1) throw fenced(site);
}

/** A look at our own tables; that they are not there is not a mistake of the statement. */
export async function onOurs<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (['42P01', '3F000'].includes(sqlStateOf(error) ?? '')) throw gone();
    throw error;
  }
}

const gone = (): Error => failure('TARGET_DRIFTED', 'our lock row is gone from the target');

/** The error of an attempt that has been overtaken. */
export const fenced = (site: Site): Error =>
  failure('FENCED', `a newer attempt works on ${site.deployment}; turn ${site.turn} is over`);
