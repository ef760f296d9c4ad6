import { randomInt } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { Ground } from './ground.ts';
import { sequences, type Sequence } from './operations.ts';
import { runSequence } from './run-sequence.ts';

const { env } = process;
/**
 * `LAKESHIFT_SEQUENCES=5000` runs more of them; `LAKESHIFT_SEED=…` the same ones again. CI takes the same ones each time:
 * what turns it red is the change that it looks at. Elsewhere each run looks for something new.
 */
const runs = Number(env['LAKESHIFT_SEQUENCES'] ?? 300);
const seed = Number(env['LAKESHIFT_SEED'] ?? (env['CI'] === undefined ? randomInt(2 ** 30) : 4_711));
/** Sequences that once failed, one a line. They outlive the seeds, which mean something else once an operation is added. */
const kept = new URL('failed-sequences.jsonl', import.meta.url);
/** Sequences at the same time, each in a database of its own: while one waits for the server, another one computes. */
const lanes = 2;

test('sequences that once failed do not fail again', async () => {
  const lines = (await readFile(kept, 'utf8')).split('\n').filter((line) => line !== '');
  await inLanes(async (ground, lane) => {
    // the file holds what a failing run has written
    for (const line of lines.filter((_, index) => index % lanes === lane))
      await runSequence(ground, JSON.parse(line) as Sequence);
  });
}, 600_000);

test(`in ${runs} sequences of writes, turns and faults no write is lost, refused or left half-done (seed ${seed})`, async () => {
  let foundBy: number | null = null;
  await inLanes(async (ground, lane) => {
    const details = await fc.check(
      fc.asyncProperty(sequences, async (sequence) => {
        // what another lane has found is shrunk without this one
        if (foundBy !== null && foundBy !== lane) return;
        try {
          await runSequence(ground, sequence);
        } catch (error) {
          foundBy = lane;
          throw error;
        }
      }),
      {
        numRuns: Math.ceil(runs / lanes),
        seed: seed + lane,
        endOnFailure: env['LAKESHIFT_SHRINK'] === 'no',
      },
    );
    if (!details.failed) return;
    const [sequence] = details.counterexample ?? [];
    if (sequence !== undefined && env['CI'] === undefined) await appendFile(kept, `${JSON.stringify(sequence)}\n`);
    throw new Error(
      `after ${details.numRuns} sequences and ${details.numShrinks} shrinks (LAKESHIFT_SEED=${seed}):\n${JSON.stringify(sequence)}\n${String(details.errorInstance)}`,
    );
  });
}, 7_200_000);

/** Every lane is waited for, so that none works on when the servers go. */
async function inLanes(work: (ground: Ground, lane: number) => Promise<void>): Promise<void> {
  const endings = await Promise.allSettled(
    Array.from({ length: lanes }, async (_, lane) => {
      const ground = await Ground.open();
      try {
        await work(ground, lane);
      } finally {
        await ground.close();
      }
    }),
  );
  for (const ending of endings) if (ending.status === 'rejected') throw ending.reason;
}
