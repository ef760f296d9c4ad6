import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import type { EjectView } from '../../contracts/api.ts';
import { catalogSnapshot } from '../support/catalog-snapshot.ts';
import { RealService } from '../support/real-service.ts';
import { runScript } from '../support/run-sql.ts';
import { freshDatabase, temporalAddress } from '../support/servers.ts';
import { centsSpec } from '../support/sql-world.ts';

describe('a change that is ejected', () => {
  let service: RealService;
  let admin: pg.Client;
  let before: readonly string[];
  beforeEach(async () => {
    const shop = await freshDatabase();
    service = await RealService.on(shop);
    await service.payments(20_000);
    admin = new pg.Client({ connectionString: shop.superuserUrl });
    await admin.connect();
    before = await catalogSnapshot(admin);
  }, 60_000);
  afterEach(async () => {
    await admin.end();
    await service.stop();
  }, 60_000);

  async function eject(id: string, way: EjectView['way']): Promise<EjectView> {
    const response = await fetch(`${service.address}/v1/deployments/${id}/eject?way=${way}`);
    return (await response.json()) as EjectView; // what the API's own schema promises for 200
  }
  async function rewriting(key: string): Promise<string> {
    const { status } = await service.deploy({ ...centsSpec, backfill: { rate: 500 } }, key);
    await service.until('rows', async () => ((await service.rowsDone()) > 0 ? true : null));
    return status.id;
  }

  test('while its backfill runs parks with a clear sentence, and harms nothing from there to its end', async () => {
    const id = await rewriting('ejected');
    const script = await eject(id, 'back');
    expect(script).toMatchObject({ id, way: 'back', stage: 'backfill' });
    await runScript(admin, script.sql);
    expect(await catalogSnapshot(admin)).toEqual(before);
    const parked = await service.reaches(id, 'needs-attention');
    expect(parked.status.progress.parked).toEqual({
      code: 'CLAIM_GONE',
      detail: `target shop has no claim of ${id} any more; nothing was done`,
    });
    expect((await service.order(id, 'rollback', { reason: 'taken back by hand' })).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    expect(await catalogSnapshot(admin)).toEqual(before);
    const after = await fetch(`${service.address}/v1/deployments/${id}/eject`);
    expect([after.status, await after.json()]).toMatchObject([409, { code: 'ORDER_IMPOSSIBLE' }]);
  }, 120_000);

  test('while it waits for an approval notices as soon as it is approved', async () => {
    const { status } = await service.deploy({ ...centsSpec }, 'waits');
    await service.reaches(status.id, 'waiting-for-approval');
    await runScript(admin, (await eject(status.id, 'finish')).sql);
    expect(
      (await service.shop.query('SELECT id FROM payments WHERE amount_cents IS DISTINCT FROM id % 100000')).rows,
    ).toEqual([]);
    const finished = await catalogSnapshot(admin);
    await service.approve(status.id);
    const parked = await service.reaches(status.id, 'needs-attention');
    expect(parked.status.progress.parked?.code).toBe('CLAIM_GONE');
    await service.order(status.id, 'rollback', { reason: 'finished by hand' });
    await service.reaches(status.id, 'rolled-back');
    expect(await catalogSnapshot(admin)).toEqual(finished);
  }, 120_000);

  test('after its workflow was terminated and its worker has died is taken back from the ledger alone', async () => {
    const id = await rewriting('terminated');
    const connection = await Connection.connect({ address: temporalAddress() });
    await new Client({ connection }).workflow.getHandle(id).terminate('lost');
    await connection.close();
    await service.killWorker();
    await runScript(admin, (await eject(id, 'back')).sql);
    expect(await catalogSnapshot(admin)).toEqual(before);
  }, 120_000);
});
