import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ApplyAnswer } from '../../contracts/api.ts';
import { startServiceProcess, type ServiceProcess } from '../../tools/processes/service-process.ts';
import { lakeshift, type Ran } from '../cli/support/run.ts';
import { RealService } from '../support/real-service.ts';
import { centsSpec } from '../support/sql-world.ts';

/** The tests of this file are chapters: each goes on where the one before has ended. */
describe('specs in a repository, applied by CI jobs', () => {
  let service: RealService;
  let second: ServiceProcess;
  let addresses: readonly string[];
  let folder: string;
  beforeAll(async () => {
    service = await RealService.start();
    second = startServiceProcess('api/server.ts', service.env);
    addresses = [service.address, await second.ready];
    await service.payments(500);
    await service.shop.query('CREATE TABLE refunds AS TABLE payments; ALTER TABLE refunds ADD PRIMARY KEY (id)');
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-specs-'));
    await write('10-cents.yaml', cents);
    await write('20-refunds.yaml', refunds, 'nobody reads this');
  }, 60_000);
  afterAll(async () => {
    await second.stop();
    await service.stop();
    await rm(folder, { recursive: true });
  }, 60_000);

  const cents = { ...centsSpec, name: 'cents', cutover: { approve: true }, contract: { after: '7d', approve: true } };
  const refunds = {
    name: 'refunds-note',
    strategy: 'expand-contract',
    target: 'shop',
    table: 'public.refunds',
    changes: [{ add: 'why text' }],
    contract: { after: '1s' },
  };
  const write = (name: string, spec: object, comment = ''): Promise<void> =>
    writeFile(join(folder, name), `# ${comment}\n${stringify(spec)}`);
  const apply = (actor: string, api: string | undefined, ...args: readonly string[]): Promise<Ran> =>
    lakeshift(['apply', '-f', folder, '--json', ...args], {
      api: api ?? service.address,
      env: { LAKESHIFT_ACTOR: actor },
    });
  const resultsOf = ({ out }: Ran): ApplyAnswer['results'] => (JSON.parse(out) as ApplyAnswer).results;
  const actionsOf = (ran: Ran): string[] => resultsOf(ran).map(({ name, action }) => `${name} ${action}`);
  const deployments = async (): Promise<readonly { id: string; name: string }[]> =>
    (
      (await (await fetch(`${service.address}/v1/deployments`)).json()) as {
        deployments: { id: string; name: string }[];
      }
    ).deployments;

  test('a dry run says what would be started, and starts nothing', async () => {
    const ran = await apply('ci', undefined, '--dry-run');
    expect([ran.code, actionsOf(ran)]).toEqual([0, ['cents start', 'refunds-note start']]);
    expect(await deployments()).toEqual([]);
  });

  test('with one mistake in one file nothing is started', async () => {
    await write('30-wrong.yaml', { ...refunds, name: 'wrong', table: 'public.refnuds' });
    const { code, out } = await apply('ci', undefined);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      error: { code: 'PLAN_REFUSED', errors: [{ file: join(folder, '30-wrong.yaml'), line: 5, pointer: '/table' }] },
    });
    expect(await deployments()).toEqual([]);
    await rm(join(folder, '30-wrong.yaml'));
  });

  test('four jobs at once, by different people, at two instances of the service, start each spec once', async () => {
    const jobs = await Promise.all(['ann', 'bob', 'cy', 'di'].map((actor, i) => apply(actor, addresses[i % 2])));
    expect(jobs.map(({ code, out }) => [code, code === 0 ? '' : out])).toEqual(jobs.map(() => [0, '']));
    expect(
      jobs
        .flatMap(actionsOf)
        .filter((action) => action.endsWith('started'))
        .sort(),
    ).toEqual(['cents started', 'refunds-note started']);
    expect((await deployments()).map(({ name }) => name).sort()).toEqual(['cents', 'refunds-note']);
  }, 60_000);

  test('what is unchanged is left alone, under way as well as deployed, also with other words around it', async () => {
    const refundsId = (await deployments()).find(({ name }) => name === 'refunds-note')?.id ?? '';
    const centsId = (await deployments()).find(({ name }) => name === 'cents')?.id ?? '';
    await service.reaches(refundsId, 'deployed');
    await service.reaches(centsId, 'waiting-for-approval');
    await write('20-refunds.yaml', Object.fromEntries(Object.entries(refunds).reverse()), 'a comment that is new');
    const ran = await apply('eve', addresses[1]);
    expect([ran.code, resultsOf(ran)]).toMatchObject([
      0,
      [
        { deployment: centsId, action: 'unchanged', phase: 'waiting-for-approval' },
        { deployment: refundsId, action: 'unchanged', phase: 'deployed' },
      ],
    ]);
    expect(await deployments()).toHaveLength(2);
  }, 60_000);

  test('a spec that changes under way is refused with the difference, and the others wait with it', async () => {
    await write('10-cents.yaml', { ...cents, contract: { after: '3d', approve: true } });
    await write('30-more.yaml', { ...refunds, name: 'refunds-more', changes: [{ add: 'more text' }] });
    const { code, out } = await apply('ci', undefined);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      error: {
        status: 409,
        code: 'SPEC_DIFFERS',
        errors: [
          { pointer: '' },
          {
            file: join(folder, '10-cents.yaml'),
            pointer: '/contract/after',
            detail: expect.stringMatching(/^is "3d" here; under way it is "/) as unknown,
          },
        ],
      },
    });
    expect(await deployments()).toHaveLength(2);
  });

  test('a file that is gone changes nothing that is under way, and a table that is taken is left for later', async () => {
    await rm(join(folder, '10-cents.yaml'));
    await write('40-payments.yaml', {
      ...refunds,
      name: 'payments-more',
      table: 'public.payments',
      changes: [{ add: 'more text' }],
    });
    const ran = await apply('ci', undefined);
    expect(ran.code).toBe(4);
    expect(resultsOf(ran)).toMatchObject([
      { action: 'unchanged' },
      { name: 'refunds-more', action: 'started' },
      {
        name: 'payments-more',
        action: 'later',
        because: expect.stringMatching(/^cents-[0-9a-f]{8} comes first on public\.payments$/) as unknown,
      },
    ]);
    const [centsOne] = (await deployments()).filter(({ name }) => name === 'cents');
    expect((await service.view(centsOne?.id ?? '')).status.phase).toBe('waiting-for-approval');
    await rm(join(folder, '40-payments.yaml'));
  });

  test('what was rolled back is not started again until its spec changes or somebody says so', async () => {
    await write('10-cents.yaml', cents);
    const [before] = (await deployments()).filter(({ name }) => name === 'cents');
    await service.order(before?.id ?? '', 'rollback');
    await service.reaches(before?.id ?? '', 'rolled-back');
    const left = await apply('ci', undefined);
    expect([left.code, resultsOf(left)[0]]).toMatchObject([
      3,
      { action: 'unchanged', phase: 'rolled-back', deployment: before?.id },
    ]);
    const [ann, bob] = await Promise.all([
      apply('ann', addresses[0], '--again'),
      apply('bob', addresses[1], '--again'),
    ]);
    const ids = [ann, bob].map((ran) => resultsOf(ran)[0]?.deployment);
    expect(ids[0]).not.toBe(before?.id);
    expect(ids[1]).toBe(ids[0]);
    expect([ann.code, bob.code]).toEqual([0, 0]);
  }, 60_000);
});
