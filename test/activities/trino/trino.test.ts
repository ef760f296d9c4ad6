import { MockActivityEnvironment } from '@temporalio/testing';
import type { Coordinator } from '../../../contracts/running.ts';
import { coordinatorIdOf } from '../../../activities/trino/coordinator-id.ts';
import { countQueries } from '../../../activities/trino/count-queries.ts';
import { followQueries } from '../../../activities/trino/follow-queries.ts';
import { probeSide } from '../../../activities/traffic/probe-side.ts';
import { freePort } from '../../../tools/ports.ts';
import type { RunningTrino } from '../../../tools/trino/server.ts';
import { beginQuery, longQuery, runQuery } from '../../support/trino/client.ts';
import { firstTrinoMs, freshTrino, whyNoTrino } from '../../support/trino/trinos.ts';

const lacking = await whyNoTrino();

const noCluster = () => {
  throw new Error('there is no cluster here');
};

(lacking === '' ? describe : describe.skip)(`Trino itself${lacking && ` (${lacking})`}`, () => {
  let trino: RunningTrino;
  let coordinator: Coordinator;
  beforeAll(async () => {
    trino = await freshTrino();
    coordinator = { name: 'trino-blue', url: trino.url, user: 'lakeshift' };
  }, firstTrinoMs);
  afterAll(() => trino.stop());

  const probe = (sql: readonly string[], timeoutMs = 30_000) =>
    probeSide({ by: 'trino', address: trino.url, user: 'lakeshift', sql, timeoutMs }, noCluster);
  /** States of its queries, as it says itself. */
  const states = async (): Promise<readonly string[]> => {
    const response = await fetch(`${trino.url}/v1/query`, { headers: { 'x-trino-user': 'tester' } });
    return ((await response.json()) as readonly { readonly state: string }[]).map(({ state }) => state);
  };
  const ended = ['FINISHED', 'FAILED'];

  test('runs statements of a probe to their ends, and says which one failed and how, without its words', async () => {
    expect(await probe(['SELECT 1', 'SELECT count(*) FROM TABLE(sequence(1, 1000))'])).toBeNull();
    expect(await probe(["SELECT 1 + 'secret'"])).toBe('TYPE_MISMATCH');
    expect(await probe(['SELECT 1', 'SELECT secret'])).toBe('statement 2: COLUMN_NOT_FOUND');
  }, 60_000);

  test('ends a statement that takes too long', async () => {
    const endless = 'SELECT count(*) FROM TABLE(sequence(1, 100000000)) a, TABLE(sequence(1, 100000000)) b';
    expect(await probe([endless], 1_500)).toBe('did not end in 1500 ms');
    const until = Date.now() + 20_000;
    while ((await states()).some((state) => !ended.includes(state)) && Date.now() < until);
    expect((await states()).every((state) => ended.includes(state))).toBe(true);
  }, 60_000);

  test('that is not there is a fault of a probe, and no number of queries', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const absent = { ...coordinator, url };
    const asked = { by: 'trino', address: url, user: 'a', sql: ['SELECT 1'], timeoutMs: 2_000 } as const;
    expect(await probeSide(asked, noCluster)).toContain('gives no answer');
    expect(await countQueries(absent)).toEqual({ running: null, blindBecause: 'Trino of trino-blue gives no answer' });
    expect(await coordinatorIdOf(absent)).toBeNull();
  });

  test('counts a query until its client has read all of it, and its last page has had time to be fetched', async () => {
    const env = new MockActivityEnvironment();
    const follow = (sliceMs: number) => env.run(followQueries, { coordinator, sliceMs });
    expect(await follow(30_000)).toEqual({ running: 0, blindBecause: null });
    const queries = [await beginQuery(trino.url, longQuery), await beginQuery(trino.url, longQuery)];
    expect(await follow(2_000)).toEqual({ running: 2, blindBecause: null });
    for (const query of queries) await query.rest();
    expect((await countQueries(coordinator)).running).toBeGreaterThan(0);
    expect(await follow(30_000)).toEqual({ running: 0, blindBecause: null });
  }, 90_000);

  test('is known by the end of each of its query ids, and is asked for that without a query', async () => {
    const { coordinator: id } = await runQuery(trino.url, 'SELECT 1');
    const before = (await states()).length;
    expect(await coordinatorIdOf(coordinator)).toBe(id);
    expect((await states()).length).toBe(before);
  }, 60_000);
});
