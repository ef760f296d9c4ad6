import { sleep } from '@temporalio/activity';
import type { BackfillFacts, Site } from '../../contracts/activities.ts';
import type { BackfillStage } from '../../contracts/plan.ts';
import { nextChunk, type PlannedChunk } from '../../decisions/pace/next-chunk.ts';
import { failure } from '../failures.ts';
import { ChunkWriter, type Chunk } from './chunk-writer.ts';
import { sessionName } from './home.ts';
import { Pacer, type LastChunk, type PacerContext } from './pacer.ts';
import { ProgressTeller, type TellProgress } from './progress-teller.ts';
import { textOf, withSession, type Session, type TargetConnection } from './session.ts';

/**
 * Works on chunks for one slice of time and hands back. The watermark is in the target, in the same transaction as the
 * rows, behind a fence that a newer attempt raises: whatever happens to this process, each chunk is effective once.
 */
export async function backfill(
  target: TargetConnection,
  input: { readonly site: Site; readonly stage: BackfillStage; readonly rows: number | null },
  tell: TellProgress,
  pacing: PacerContext,
): Promise<BackfillFacts> {
  const { site, stage } = input;
  if (!stage.needed) return { finished: true, rows: 0, paused: false, deferred: 0, pace: 'nothing to rewrite' };
  return withSession(target, sessionName(site), async (session) => {
    for (const { sql } of stage.session) await session.query(sql);
    const writer = await ChunkWriter.open(session, site, stage);
    const pacer = await Pacer.open(target, { site, stage, quiet: writer.total === 0 }, pacing);
    const teller = new ProgressTeller(site.deployment, stage.name, tell, input.rows);
    try {
      return await slice({ session, stage, writer, pacer, teller });
    } finally {
      await pacer.close();
    }
  });
}

interface Tools {
  readonly session: Session;
  readonly stage: BackfillStage;
  readonly writer: ChunkWriter;
  readonly pacer: Pacer;
  readonly teller: ProgressTeller;
}

async function slice(tools: Tools): Promise<BackfillFacts> {
  const { session, stage, writer, pacer, teller } = tools;
  const until = Date.now() + stage.sliceMs;
  const reason = await goForward(tools, until);
  await comeBack(tools, until);
  await checkBarrier(session, stage, writer);
  await writer.flush();
  if (writer.finished) pacer.forget();
  await teller.last(writer.total, writer.share, writer.paused ? 'paused' : reason);
  return {
    finished: writer.finished,
    rows: writer.total,
    paused: writer.paused,
    deferred: writer.deferred,
    pace: reason,
    felt: pacer.felt(),
    blindForMs: pacer.blind().ms,
    blindBecause: pacer.blind().because,
  };
}

/** Chunk after chunk, each as large and as soon as the pace allows. */
async function goForward({ stage, writer, pacer, teller }: Tools, until: number): Promise<string> {
  let last: LastChunk = { ms: null, rows: 0, pages: 0 };
  let reason = '';
  while (!writer.paused && Date.now() < until) {
    const pacing = await pacer.next(last, writer.rate ?? stage.rate);
    reason = pacing.reason;
    await teller.tell(writer.total, writer.share, reason);
    if (pacing.pages === 0) {
      await writer.listen();
      continue;
    }
    const planned = nextChunk(writer.position, writer.ground, pacing.pages);
    if (planned === null) break;
    const started = performance.now();
    const rows = await giveWay(writer, planned);
    last = { ms: performance.now() - started, rows, pages: planned.to - planned.from };
  }
  return reason;
}

/** At the end, the pages that were put aside, again and again until the application has let go of their rows. */
async function comeBack({ writer, teller }: Tools, until: number): Promise<void> {
  while (writer.deferred > 0 && writer.atEnd && !writer.paused && Date.now() < until) {
    await writer.sweep();
    await teller.tell(writer.total, writer.share, 'waits for rows that the application holds');
    if (writer.deferred > 0) await sleep(250);
  }
}

/** The application holds a row: three tries, then half the chunk, at last a single page is put aside for later. */
async function giveWay(writer: ChunkWriter, planned: PlannedChunk): Promise<number> {
  let chunk: Chunk = planned;
  for (let tries = 1; ; tries++) {
    const rows = await writer.write(chunk);
    if (rows !== null) return rows;
    await sleep(5 + Math.random() * 20 * tries);
    if (tries % 3 !== 0) continue;
    if (chunk.to - chunk.from <= 1) {
      await writer.defer(chunk);
      return 0;
    }
    const to = chunk.from + Math.floor((chunk.to - chunk.from) / 2);
    chunk = { ...chunk, to, next: { page: to, pass: chunk.pass } };
  }
}

/** Chunks count only while our trigger was at its post: looked at before the first and after the last of a slice. */
async function checkBarrier(session: Session, stage: BackfillStage, writer: ChunkWriter): Promise<void> {
  const row = (await session.query(stage.barrier.sql))[0];
  if (row?.['guarded'] !== true)
    throw failure('TARGET_DRIFTED', 'our trigger or a new column is gone, or the trigger is disabled');
  if (row['filenode'] !== writer.filenode) await writer.restart(Number(row['pages']), textOf(row['filenode']));
}
