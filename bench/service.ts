import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';
import pg from 'pg';
import type { DeploymentInput } from '../contracts/messages.ts';
import type { Plan } from '../contracts/plan.ts';
import type { RealService } from '../test/support/real-service.ts';
import { median, percentile, type Bench } from './figures.ts';
import { withOwnService } from './own-service.ts';

const specOf = (table: string, after = '1h') => ({
  name: table,
  strategy: 'expand-contract',
  target: 'shop',
  table: `public.${table}`,
  changes: [{ type: 'amount', to: 'amount_cents bigint', up: 'round(amount * 100)', down: 'amount_cents / 100.0' }],
  contract: { after },
});

const smallTable = (service: RealService, name: string) =>
  service.shop.query(
    `CREATE TABLE ${name} (id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL); INSERT INTO ${name} VALUES (1, 1.00); ANALYZE ${name}`,
  );

/** A start by the API against the same update-with-start by Temporal's bare client, in turn. */
export const startBench: Bench = ({ rounds, say }) =>
  withOwnService(async (service) => {
    const connection = await Connection.connect({ address: service.surroundings.temporal });
    const client = new Client({ connection });
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const times: Record<'api' | 'bare', number[]> = { api: [], bare: [] };
      for (let index = 0; index < 15; index++) {
        const name = `start-${round}-${index}`;
        times.api.push(await timeOf(service, `${name}-api`, (spec, plan) => startByApi(service, spec, plan)));
        times.bare.push(
          await timeOf(service, `${name}-bare`, (spec, plan) => startBare(client, plan, `${spec.name}-00000000`)),
        );
      }
      say(
        `round ${round + 1}: API ${median(times.api).toFixed(0)} ms, bare client ${median(times.bare).toFixed(0)} ms`,
      );
      ratios.push(median(times.api) / median(times.bare));
    }
    await connection.close();
    return {
      name: 'start',
      how: '15 starts a round in turn, each of a plan shown before, on a table of its own; p50 of the API ÷ p50 of the bare client',
      figures: [{ what: 'start by the API ÷ update-with-start', unit: '×', rounds: ratios, goal: { atMost: 1.3 } }],
    };
  });

type Start = (spec: ReturnType<typeof specOf>, plan: Plan) => Promise<unknown>;

async function timeOf(service: RealService, name: string, start: Start): Promise<number> {
  const table = name.replaceAll('-', '_');
  await smallTable(service, table);
  const spec = { ...specOf(table), name };
  const { body } = await service.post('/v1/plans', spec);
  const { plan } = body as { plan: Plan }; // what the API's own schema promises for 200
  const began = performance.now();
  await start(spec, plan);
  const took = performance.now() - began;
  // what it does next must not disturb the one that is timed next
  await service.until('the deployment to come to rest', async () => {
    const { rows } = await service.shop.query(
      `SELECT 1 FROM lakeshift.claims WHERE table_name = $1 AND 'expand' = ANY (altered)`,
      [`public.${table}`],
    );
    return rows.length > 0 ? true : null;
  });
  return took;
}

/** Starts the plan that was shown, as the bare client does. */
async function startByApi(service: RealService, spec: ReturnType<typeof specOf>, plan: Plan): Promise<void> {
  const { status, body } = await service.post('/v1/deployments', spec, { 'plan-hash': plan.hash });
  if (status !== 201) throw new Error(`not started: ${status} ${JSON.stringify(body)}`);
}

async function startBare(client: Client, plan: Plan, id: string): Promise<void> {
  const input: DeploymentInput = {
    id,
    plan,
    startedBy: { name: 'bench', role: 'operator', groups: [], via: 'api' },
    startedAt: Date.now(),
  };
  await client.workflow.executeUpdateWithStart('accept', {
    startWorkflowOperation: new WithStartWorkflowOperation('expandContract', {
      workflowId: id,
      taskQueue: plan.taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
    args: [],
  });
}

/** From sending an order to its row in the ledger. */
export const orderBench: Bench = ({ rounds, say }) =>
  withOwnService(async (service) => {
    await smallTable(service, 'orders');
    const { status } = await service.deploy(specOf('orders'), 'orders');
    await service.reaches(status.id, 'waiting-for-approval');
    const ledger = new pg.Client({ connectionString: service.surroundings.ledgerUrl });
    await ledger.connect();
    const recorded = async (): Promise<number> =>
      Number(
        (
          await ledger.query<{ n: string }>('SELECT count(*) AS n FROM lakeshift_ledger.orders WHERE deployment = $1', [
            status.id,
          ])
        ).rows[0]?.n,
      );
    const p99: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const times: number[] = [];
      for (let index = 0; index < 100; index++) {
        const before = await recorded();
        const began = performance.now();
        const answer = await service.post(`/v1/deployments/${status.id}/${index % 2 === 0 ? 'pause' : 'resume'}`, {
          stage: 'cutover',
          reason: 'bench',
        });
        if (answer.status !== 200) throw new Error(`refused: ${JSON.stringify(answer.body)}`);
        await service.until('its row', async () => ((await recorded()) > before ? true : null));
        times.push(performance.now() - began);
      }
      say(`round ${round + 1}: p50 ${median(times).toFixed(0)} ms, p99 ${percentile(times, 0.99).toFixed(0)} ms`);
      p99.push(percentile(times, 0.99));
    }
    await ledger.end();
    return {
      name: 'orders',
      how: '100 orders a round by HTTP, until each stands in the ledger (looked at every 50 ms)',
      figures: [{ what: 'order → recorded decision, p99', unit: 'ms', rounds: p99, goal: { atMost: 1_000 } }],
    };
  });

/** How many events Temporal keeps of a whole deployment. */
export const historyBench: Bench = ({ rows, say }) =>
  withOwnService(async (service) => {
    say(`making a table of ${rows} rows`);
    await service.payments(rows);
    const { status } = await service.deploy({ ...specOf('payments', '1s'), name: 'history' }, 'history');
    for (let approvals = 0; approvals < 2; approvals++) {
      await service.until(
        'an approval to be waited for',
        async () => ((await service.view(status.id)).status.phase === 'waiting-for-approval' ? true : null),
        3_600_000,
      );
      await service.approve(status.id);
      await service.until('the approval to count', async () =>
        (await service.view(status.id)).status.phase === 'waiting-for-approval' ? null : true,
      );
    }
    await service.until(
      'its end',
      async () => ((await service.view(status.id)).status.phase === 'deployed' ? true : null),
      3_600_000,
    );
    const connection = await Connection.connect({ address: service.surroundings.temporal });
    const { historyLength } = await new Client({ connection }).workflow.getHandle(status.id).describe();
    await connection.close();
    return {
      name: 'history',
      how: `one deployment of ${rows} rows from start to contract: ${historyLength} events in all`,
      figures: [
        {
          what: 'history events per million rows',
          unit: '',
          rounds: [historyLength / (rows / 1e6)],
          goal: { atMost: 100 },
        },
      ],
    };
  });
