import { sql, type ExpressionBuilder, type SqlBool } from 'kysely';
import type { DeploymentPage, DeploymentSummary, Report } from '../contracts/api.ts';
import type { DeploymentLookup } from '../contracts/activities.ts';
import { endPhases, type Phase } from '../contracts/catalog.ts';
import type { DeploymentEvent, EventKind, LiveProgress } from '../contracts/events.ts';
import type { JsonObject } from '../contracts/json.ts';
import type { Status } from '../contracts/progress.ts';
import type { Ledger } from './connect.ts';
import { findNamed, type NamedDeployment } from './named.ts';
import { findPlan, type KeptPlan } from './plans.ts';
import { readReport } from './report.ts';
import { findStart, type KeptStart } from './starts.ts';
import type { LedgerTables } from './tables.ts';

/** Which deployments a list holds. A list of names: any of them; absent: no matter. */
export interface ListFilter {
  readonly phase?: readonly Phase[];
  readonly target?: readonly string[];
  readonly strategy?: readonly string[];
  readonly name?: readonly string[];
  /** True: those that have not ended; false: those that have. */
  readonly open?: boolean;
  /** The `next` of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}

/** One deployment as the ledger knows it. */
export interface KeptDeployment {
  readonly status: Status;
  readonly seq: number;
  /** What the current stage says of itself; the last word of a stage that is over is not told any more. */
  readonly live: LiveProgress | null;
}

/** Changes since somebody last looked: number of the last event, and the moment of the last live word (epoch ms). */
export interface Pulse {
  readonly id: string;
  readonly seq: number;
  readonly liveAt: number | null;
}

/** An event and when the ledger got it, epoch ms. */
export interface KeptEvent {
  readonly event: DeploymentEvent;
  readonly recordedAt: number;
}

/** Reads the ledger. Throws driver errors. */
export interface LedgerReader {
  /** Newest first. Null: the cursor is not one of ours. */
  list(filter: ListFilter): Promise<DeploymentPage | null>;
  /** By id, else the latest of that name. */
  find(idOrName: string): Promise<KeptDeployment | null>;
  /** The same, for a workflow that waits for another deployment. */
  lookUp(idOrName: string): Promise<DeploymentLookup | null>;
  /** Events after a number, in order, at most `limit`. */
  events(id: string, after: number, limit: number): Promise<readonly KeptEvent[]>;
  /** What happened; null when the plan is not here. */
  report(id: string): Promise<Report | null>;
  /** The reservation of a key, or of the id that follows from it; null: nobody has used it. */
  findStart(keyScope: string, keyHash: string, id: string): Promise<KeptStart | null>;
  /** The plan of a hash; null: it was never shown here, or more than a day ago. */
  findPlan(hash: string): Promise<KeptPlan | null>;
  /** Deployments of a name: those that have not ended before the others, newest first. */
  findNamed(name: string): Promise<readonly NamedDeployment[]>;
  pulses(ids: readonly string[]): Promise<readonly Pulse[]>;
  /** Throws when the ledger does not answer. */
  ping(): Promise<void>;
}

/** The reader over a connected ledger. */
export const createLedgerReader = (ledger: Ledger): LedgerReader => ({
  list: (filter) => list(ledger, filter),
  find: (idOrName) => find(ledger, idOrName),
  async lookUp(idOrName) {
    const kept = await find(ledger, idOrName);
    return kept === null ? null : { id: kept.status.id, phase: kept.status.phase };
  },
  events: (id, after, limit) => events(ledger, id, after, limit),
  report: (id) => readReport(ledger, id),
  findStart: (keyScope, keyHash, id) => findStart(ledger, keyScope, keyHash, id),
  findPlan: (hash) => findPlan(ledger, hash),
  findNamed: (name) => findNamed(ledger, name),
  async pulses(ids) {
    const rows = await ledger
      .selectFrom('deployments')
      .leftJoin('live_progress', (join) =>
        join
          .onRef('live_progress.deployment', '=', 'deployments.id')
          .onRef('live_progress.stage', '=', 'deployments.stage'),
      )
      .select(['deployments.id', 'deployments.seq', 'live_progress.at'])
      .where('deployments.id', 'in', ids)
      .execute();
    return rows.map(({ id, seq, at }) => ({ id, seq, liveAt: at?.getTime() ?? null }));
  },
  async ping() {
    await sql`select 1`.execute(ledger);
  },
});

async function find(ledger: Ledger, idOrName: string): Promise<KeptDeployment | null> {
  const row = await ledger
    .selectFrom('deployments')
    .leftJoin('live_progress', 'live_progress.deployment', 'deployments.id')
    .select(['deployments.status', 'deployments.seq'])
    .select(['live_progress.stage as live_stage', 'rows', 'total_rows', 'rate', 'seconds_to_go', 'pace', 'at'])
    .where('status', 'is not', null)
    .where((eb) => eb.or([eb('deployments.id', '=', idOrName), eb('name', '=', idOrName)]))
    // An id goes before a name that happens to read the same.
    .orderBy((eb) => eb('deployments.id', '=', idOrName), 'desc')
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return null;
  const status = row.status as Status; // `record` writes nothing else
  return { status, seq: row.seq, live: row.live_stage === status.stage ? liveOf(status.id, row) : null };
}

type LiveRow = Record<'live_stage' | 'pace', string | null> &
  Record<'rows' | 'total_rows' | 'rate' | 'seconds_to_go', number | null> & { at: Date | null };

function liveOf(id: string, row: LiveRow): LiveProgress | null {
  const { live_stage: stage, rows, pace, at } = row;
  if (stage === null || rows === null || pace === null || at === null) return null;
  const { total_rows: totalRows, rate, seconds_to_go: secondsToGo } = row;
  return { id, stage, rows, totalRows, rate, secondsToGo, pace, at: at.getTime() };
}

async function list(ledger: Ledger, filter: ListFilter): Promise<DeploymentPage | null> {
  const from = filter.cursor === undefined ? null : readCursor(filter.cursor);
  if (filter.cursor !== undefined && from === null) return null;
  const rows = await ledger
    .selectFrom('deployments')
    .select(['id', 'name', 'target', 'strategy', 'phase', 'stage', 'started_by', 'started_at', 'changed_at'])
    .where('status', 'is not', null)
    .where((eb) => eb.and(conditions(eb, filter)))
    .$if(from !== null, (query) =>
      query.where(sql<SqlBool>`(started_at, id) < (${new Date(from?.[0] ?? 0)}, ${from?.[1]})`),
    )
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
    .execute();
  const page = rows.slice(0, filter.limit).map(summaryOf);
  const last = page.at(-1);
  return { deployments: page, next: last !== undefined && rows.length > page.length ? cursorAfter(last) : null };
}

function conditions(eb: ExpressionBuilder<LedgerTables, 'deployments'>, filter: ListFilter) {
  const any = (['phase', 'target', 'strategy', 'name'] as const).flatMap((column) => {
    const wanted = filter[column];
    return wanted === undefined ? [] : [eb(column, 'in', wanted)];
  });
  if (filter.open === undefined) return any;
  return [...any, eb('phase', filter.open ? 'not in' : 'in', endPhases)];
}

type SummaryRow = Record<'id' | 'name' | 'target' | 'strategy' | 'started_by', string> &
  Record<'phase' | 'stage', string | null> & { started_at: Date; changed_at: Date | null };

const summaryOf = (row: SummaryRow): DeploymentSummary => ({
  id: row.id,
  name: row.name,
  target: row.target,
  strategy: row.strategy,
  phase: row.phase as Phase, // of a status that `record` kept
  stage: row.stage,
  startedBy: row.started_by,
  startedAt: row.started_at.getTime(),
  changedAt: (row.changed_at ?? row.started_at).getTime(),
});

const cursorAfter = ({ startedAt, id }: DeploymentSummary): string =>
  Buffer.from(JSON.stringify([startedAt, id])).toString('base64url');

function readCursor(cursor: string): readonly [number, string] | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (!Array.isArray(value)) return null;
    const [startedAt, id] = value as readonly unknown[];
    return Number.isSafeInteger(startedAt) && typeof id === 'string' ? [Number(startedAt), id] : null;
  } catch {
    return null;
  }
}

async function events(ledger: Ledger, id: string, after: number, limit: number): Promise<readonly KeptEvent[]> {
  const rows = await ledger
    .selectFrom('events')
    .selectAll()
    .where('deployment', '=', id)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map(({ seq, at, kind, stage, text, data, recorded_at: recordedAt }) => ({
    // `record` writes kinds and data of the contracts only.
    event: { seq, at: at.getTime(), kind: kind as EventKind, stage, text, data: data as JsonObject },
    recordedAt: recordedAt.getTime(),
  }));
}
