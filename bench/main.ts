import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { getSystemPostgres } from '../tools/postgres/binaries.ts';
import { afterBackfillBench } from './after-backfill.ts';
import { backfillBench, roomyBackfillBench } from './backfill.ts';
import { blueGreenScriptBench } from './blue-green-script.ts';
import { ddlBench } from './ddl.ts';
import { feltBench } from './felt.ts';
import { goingHomeBench } from './going-home.ts';
import { kubectlRolloutBench } from './kubectl-rollout.ts';
import { seenHomeBench } from './seen-home.ts';
import { historyBench, orderBench, startBench } from './service.ts';
import { waitingBench } from './waiting.ts';
import { meets, renderResult, type Bench } from './figures.ts';

/** Every benchmark there is; `npm run bench -- NAME…` runs some, without a name all. */
const benches: Readonly<Record<string, Bench>> = {
  backfill: backfillBench,
  'backfill-roomy': roomyBackfillBench,
  'after-backfill': afterBackfillBench,
  ddl: ddlBench,
  felt: feltBench,
  start: startBench,
  orders: orderBench,
  history: historyBench,
  waiting: waitingBench,
  'going-home': goingHomeBench,
  'seen-home': seenHomeBench,
  'kubectl-rollout': kubectlRolloutBench,
  'blue-green-script': blueGreenScriptBench,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '5000000' },
    rounds: { type: 'string', default: '3' },
    // has lz4, which the one that npm brings has not
    'system-postgres': { type: 'boolean', default: false },
    deployments: { type: 'string', default: '2000' },
  },
});
const unknown = positionals.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`there is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
const binaries = values['system-postgres'] ? await getSystemPostgres() : null;
const folder = join(import.meta.dirname, 'results');
await mkdir(folder, { recursive: true });
let missed = 0;
for (const [name, bench] of Object.entries(benches)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const result = await bench({
    rows: Number(values.rows),
    rounds: Number(values.rounds),
    deployments: Number(values.deployments),
    binaries,
    say: (line) => console.error(`  … ${line}`),
  });
  console.log(renderResult(result));
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  missed += result.figures.filter((figure) => meets(figure) === false).length;
}
process.exitCode = missed > 0 ? 1 : 0;
