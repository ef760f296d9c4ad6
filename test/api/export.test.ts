import { Compile } from 'typebox/compile';
import type { ExportView, Problem } from '../../contracts/api.ts';
import { exportForms } from '../../contracts/catalog.ts';
import { ExportSchema } from '../../api/schemas/guests.ts';
import { deploymentOf } from './support/deployment.ts';
import { by, startService, type Service } from './support/service.ts';

describe('the finished change of a deployment', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
    await deploymentOf(service.writer, 'payments-cents-00000001').tell({ seq: 1, kind: 'started' });
  });
  afterAll(() => service.close());
  const ask = (url: string) => service.app.inject(by('viewer', { url: `/v1/deployments/${url}` }));

  test.each(exportForms)('is written in the form %s from the ledger alone', async (form) => {
    const answer = await ask(`payments-cents-00000001/export?form=${form}`);
    expect(answer.statusCode).toBe(200);
    const view = answer.json<ExportView>();
    expect([...Compile(ExportSchema).Errors(view)]).toEqual([]);
    expect(view).toMatchObject({ id: 'payments-cents-00000001', form });
    expect(view.path).toMatch(/payments[-_]cents/);
    expect(view.text).toContain('ADD COLUMN "amount_cents" bigint');
  });

  test('is that of the latest deployment of a name', async () => {
    expect((await ask('payments-cents/export?form=sql')).json<ExportView>().id).toBe('payments-cents-00000001');
  });

  test('is refused in a form that nobody knows, without a form, and of a deployment that is not there', async () => {
    for (const query of ['?form=flywy', '']) {
      const refused = (await ask(`payments-cents-00000001/export${query}`)).json<Problem>();
      expect(refused).toMatchObject({ status: 422, errors: [{ pointer: '/query/form' }] });
    }
    expect((await ask('none-00000000/export?form=sql')).json<Problem>()).toMatchObject({ code: 'NOT_FOUND' });
  });
});
