import type { Bench } from './figures.ts';
import { BenchDeployment } from './deployment.ts';
import { inDatabase, PaymentsServer } from './payments.ts';

/** What comes after a backfill: comparing every row, and going back once the new shape leads. */
export const afterBackfillBench: Bench = async ({ rows, rounds, binaries, say }) => {
  say(`making a table of ${rows} rows`);
  const ratios: number[] = [];
  const seconds: number[] = [];
  await PaymentsServer.with({ rows, fillfactor: 100, binaries }, (server) =>
    server.withCopy(async (url) => {
      const deployment = await BenchDeployment.claim(url);
      await deployment.backfill(1);
      await inDatabase(url, 'copy', (client) => client.query('VACUUM ANALYZE payments'));
      for (let round = 1; round <= rounds; round++) {
        const ours = await server.costOf(() => deployment.verify());
        const scan = await server.costOf(() => inDatabase(url, 'copy', hashEveryRow));
        await deployment.cutover();
        const back = performance.now();
        await deployment.rollBack();
        seconds.push((performance.now() - back) / 1_000);
        ratios.push(ours.cpu / scan.cpu);
        say(`round ${round}: verify ${ours.cpu.toFixed(1)} s CPU, a scan with one hash a row ${scan.cpu.toFixed(1)} s`);
      }
    }),
  );
  return {
    name: 'after-backfill',
    how: `${rows} rows; CPU of all sessions; the server's own scan computes one hash over each row`,
    figures: [
      { what: 'CPU of verify ÷ a scan with one hash a row', unit: '×', rounds: ratios, goal: { atMost: 1.5 } },
      { what: 'after the cutover, until the old shape leads again', unit: 's', rounds: seconds, goal: { atMost: 1 } },
    ],
  };
};

type Client = Parameters<Parameters<typeof inDatabase>[2]>[0];
async function hashEveryRow(client: Client): Promise<void> {
  await client.query('SET max_parallel_workers_per_gather = 0');
  await client.query('SELECT bit_xor(hash_record_extended(p, 0)) FROM payments AS p');
}
