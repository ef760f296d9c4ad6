import { RealService } from '../support/real-service.ts';
import { freshDatabase } from '../support/servers.ts';
import { centsSpec } from '../support/sql-world.ts';

test('a deployment on PostgreSQL 14, by a role that may only SET ROLE to the owner, goes through API, Temporal and worker to its end', async () => {
  const service = await RealService.on(await freshDatabase({ major: 14, inherit: false }));
  try {
    await service.payments(5_000);
    const { status } = await service.deploy({ ...centsSpec, contract: { after: '1s' } }, 'old');
    for (const stage of ['cutover', 'contract']) {
      await service.until(`an approval of ${stage}`, async () => {
        const view = await service.view(status.id);
        return view.status.phase === 'waiting-for-approval' && view.status.stage === stage ? true : null;
      });
      await service.approve(status.id);
    }
    expect((await service.reaches(status.id, 'deployed', 'needs-attention', 'rolled-back')).status.phase).toBe(
      'deployed',
    );
    const plan = await service.plan(status.id);
    expect(plan.dialect === 'postgres' && plan.facts.serverVersion).toBeLessThan(150_000);
    const { rows } = await service.shop.query(
      `SELECT count(*)::int AS rows, count(*) FILTER (WHERE amount_cents = id % 100000)::int AS right,
        (SELECT count(*)::int FROM pg_namespace WHERE nspname = 'lakeshift') AS schemas FROM payments`,
    );
    expect(rows).toEqual([{ rows: 5_000, right: 5_000, schemas: 0 }]);
  } finally {
    await service.stop();
  }
}, 180_000);
