import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startApplication } from './application.ts';
import type { Transaction } from './application-thread.ts';
import type { Bench, Figure } from './figures.ts';
import { BenchDeployment } from './deployment.ts';
import { databaseUrl, inDatabase, makePayments, withServer } from './payments.ts';

const rows = 200_000;
const readerMs = 6_000;

interface Felt {
  readonly longest: number;
  readonly over40: number;
  readonly doneAfter: number;
  /** From the first statement of the DDL to the end of its commit, ms. */
  readonly transaction: number;
  readonly errors: number;
  /** The longest in as long a time without any DDL, before it. */
  readonly longestWithout: number;
}

/** Expands a table that a reader holds for six seconds, while an application works on it. */
export const ddlBench: Bench = ({ rounds, binaries, say }) =>
  withServer(binaries, {}, async (server) => {
    const felt: Felt[] = [];
    for (let round = 1; round <= rounds; round++) {
      const database = `ddl_${round}`;
      await makePayments(server.url, database, rows);
      felt.push(await measure(databaseUrl(server.url, database)));
      await inDatabase(server.url, 'postgres', (client) => client.query(`DROP DATABASE ${database} WITH (FORCE)`));
      const last = felt.at(-1);
      say(
        `round ${round}: longest ${last?.longest.toFixed(1)} ms (without DDL ${last?.longestWithout.toFixed(1)}), done ${last?.doneAfter.toFixed(0)} ms after the reader`,
      );
    }
    return {
      name: 'ddl',
      how: `expand behind a reader of ${readerMs / 1_000} s; 500 transactions/s of 3 statements on the same table, 4 connections, open loop: each is timed from when it was due`,
      figures: figuresOf(felt),
    };
  });

function figuresOf(felt: readonly Felt[]): Figure[] {
  const figure = (what: string, unit: string, atMost: number | null, of: (one: Felt) => number): Figure => ({
    what,
    unit,
    rounds: felt.map(of),
    goal: atMost === null ? null : { atMost },
  });
  return [
    figure('longest stall by DDL behind a 6 s reader', 'ms', 20, ({ longest }) => longest),
    figure('longest of the same application without DDL', 'ms', null, ({ longestWithout }) => longestWithout),
    figure('transactions over 40 ms behind the DDL', '', 0, ({ over40 }) => over40),
    figure('DDL done after the reader ended', 'ms', 200, ({ doneAfter }) => doneAfter),
    figure('the DDL transaction itself', 'ms', null, ({ transaction }) => transaction),
    figure('errors of the application behind the DDL', '', 0, ({ errors }) => errors),
  ];
}

async function measure(url: string): Promise<Felt> {
  const lakeshift = await BenchDeployment.claim(url);
  const reader = new pg.Client({ connectionString: url, application_name: 'reader' });
  await reader.connect();
  const application = await startApplication({ url, rows, perSecond: 500, connections: 4 });
  try {
    await sleep(2_000);
    const quietFrom = Date.now();
    await sleep(readerMs);
    const from = Date.now();
    await reader.query('BEGIN; SELECT count(*) FROM payments');
    const expanding = lakeshift.expand();
    await sleep(readerMs);
    await reader.query('COMMIT');
    const ended = Date.now();
    const { lockMs } = await expanding;
    const done = Date.now();
    await sleep(1_500);
    const behind = application.between(from, done + 500);
    return {
      longest: longestOf(behind),
      longestWithout: longestOf(application.between(quietFrom, from)),
      over40: behind.filter(([, ms]) => ms > 40).length,
      doneAfter: done - ended,
      transaction: lockMs,
      errors: behind.filter(([, , failed]) => failed).length,
    };
  } finally {
    await application.stop();
    await reader.end();
  }
}

const longestOf = (transactions: readonly Transaction[]): number => Math.max(0, ...transactions.map(([, ms]) => ms));
