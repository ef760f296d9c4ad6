import { writeFile } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import setUp from '../support/global-setup.ts';
import tearDown from '../support/global-teardown.ts';
import { Theatre } from '../support/deployments.ts';
import { stories } from './stories.ts';

/**
 * Plays the stories on a real server and keeps their histories. Run it with `node tools/run.mjs test/replay/record.ts
 * [name…]` when a story is new; a history that no longer replays is a change that breaks deployments under way, not one to record anew.
 */
async function record(wanted: readonly string[]): Promise<void> {
  // The stories need no database; the set-up starts none when one is given.
  process.env['LAKESHIFT_TEST_POSTGRES'] ??= 'postgres://unused';
  await setUp();
  const theatre = await Theatre.open();
  try {
    for (const [name, tell] of Object.entries(stories)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const { workflowId, runId } = await tell(theatre);
      const history = await theatre.client.workflow.getHandle(workflowId, runId).fetchHistory();
      const kept = brief(JSON.parse(historyToJSON(history)) as Json); // what was parsed is JSON
      await writeFile(new URL(`histories/${name}.json`, import.meta.url), `${JSON.stringify(kept)}\n`);
      process.stdout.write(`${name}: ${history.events?.length ?? 0} events\n`);
    }
  } finally {
    await theatre.close();
    await tearDown();
  }
}

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * Leaves out what a replay does not look at and what would only make the files large or tell of the machine: the
 * arguments of activities, stack traces, and the text in the Temporal UI.
 */
function brief(value: Json, key = ''): Json {
  if (key === 'stackTrace') return '';
  if (Array.isArray(value)) return value.map((item) => brief(item));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(
    ([name]) => !(key === 'activityTaskScheduledEventAttributes' && name === 'input') && name !== 'userMetadata',
  );
  return Object.fromEntries(fields.map(([name, field]) => [name, brief(field, name)]));
}

await record(process.argv.slice(2));
