import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HeldModel } from '../../../contracts/model.ts';
import { Keeper, ours } from '../../support/mlflow/keeper.ts';
import { describeOnMlflow, registry, TestModel } from '../../support/mlflow/registry.ts';

const other = 'forecast-13-00000002';
const canary = { alias: 'canary', version: '2', from: null } as const;
const back = { alias: 'canary', version: null, from: '2' } as const;

describeOnMlflow('a registry of models', () => {
  let keeper: Keeper;
  let model: TestModel;
  let held: HeldModel;
  beforeEach(async () => {
    keeper = new Keeper((await registry()).url);
    model = await TestModel.of('usual', 'better', 'wider');
    await model.point('champion', '1');
    held = { model: model.name, createdAt: (await keeper.look(model.name, '2')).createdAt ?? 0 };
  });

  it('says what a plan has to know of a model, its versions and what they take and give', async () => {
    const number = (name: string | null) => ({ name, type: 'long', required: true });
    const version = { status: 'READY', createdAt: expect.any(Number) as number };
    const signature = { inputs: [number('n')], outputs: [number(null)], params: [] };
    expect(await keeper.look(model.name, '3')).toEqual({
      createdAt: held.createdAt,
      aliases: { champion: '1', canary: null },
      versions: [
        { ...version, version: '3', signature: { ...signature, inputs: [number('n'), number('m')] } },
        { ...version, version: '1', signature },
      ],
      holder: null,
      nearby: [],
    });
  });

  it('says that a model or a version is not there, and which models are', async () => {
    expect(await keeper.look(`${model.name}x`, '1')).toEqual({
      createdAt: null,
      aliases: {},
      versions: [],
      holder: null,
      nearby: expect.arrayContaining([model.name]) as string[],
    });
    expect((await keeper.look(model.name, '9')).versions.map(({ version }) => version)).toEqual(['1']);
  });

  it('moves an alias and back, as often as it is told, and leaves nothing of ours', async () => {
    expect(await keeper.claim(held)).toEqual({ held: true });
    for (const turn of [2, 4]) {
      expect(await keeper.setAlias(held, canary, { turn })).toEqual({ version: '2' });
      expect(await keeper.setAlias(held, canary, { turn })).toEqual({ version: '2' });
      expect((await model.look()).aliases).toEqual({ champion: '1', canary: '2' });
      expect(await keeper.setAlias(held, back, { turn: turn + 1 })).toEqual({ version: null });
      expect(await keeper.setAlias(held, back, { turn: turn + 1 })).toEqual({ version: null });
      expect((await model.look()).aliases).toEqual({ champion: '1' });
    }
    await keeper.release(held, { turn: 6 });
    await keeper.release(held, { turn: 6 });
    expect(await model.look()).toEqual({ aliases: { champion: '1' }, tags: {} });
  });

  it('leaves an alias alone that somebody else has moved, and says where it points', async () => {
    await keeper.claim(held);
    await model.point('canary', '3');
    expect(await keeper.setAlias(held, canary, { turn: 2 })).toEqual({ version: '3' });
    expect(await keeper.setAlias(held, back, { turn: 3 })).toEqual({ version: '3' });
    expect((await model.look()).aliases).toEqual({ champion: '1', canary: '3' });
  });

  it('is held by one deployment: of many at once never two have it', async () => {
    const ids = Array.from({ length: 8 }, (_, index) => `forecast-12-${index}`);
    const results = await Promise.all(ids.map((deployment) => keeper.claim(held, { deployment })));
    const holders = ids.filter((_, index) => results[index]?.held);
    expect(holders.length).toBeLessThanOrEqual(1);
    expect(Object.keys((await model.look()).tags)).toEqual(holders.map((id) => `lakeshift.held-by.${id}`));
    for (const deployment of holders) await keeper.release(held, { deployment });
    expect(await keeper.claim(held)).toEqual({ held: true });
    expect(await keeper.claim(held, { deployment: other })).toEqual({ held: false, holder: ours });
    expect((await keeper.look(model.name, '2')).holder).toBe(ours);
    // again by the same one: it has it
    expect(await keeper.claim(held, { attempt: 2 })).toEqual({ held: true });
  });

  it('refuses what is older than the latest effect that it has seen', async () => {
    await keeper.claim(held);
    await keeper.raiseFence(held, { turn: 5 });
    const fenced = expect.objectContaining({ type: 'FENCED', nonRetryable: true }) as Error;
    await expect(keeper.setAlias(held, canary, { turn: 4 })).rejects.toEqual(fenced);
    await expect(keeper.release(held, { turn: 4 })).rejects.toEqual(fenced);
    expect(await keeper.setAlias(held, canary, { turn: 5, attempt: 2 })).toEqual({ version: '2' });
    await expect(keeper.setAlias(held, back, { turn: 5, attempt: 1 })).rejects.toEqual(fenced);
    expect((await model.look()).aliases['canary']).toBe('2');
  });

  it('touches nothing without a claim, and nothing but the very model of the plan', async () => {
    const gone = expect.objectContaining({ type: 'CLAIM_GONE' }) as Error;
    await expect(keeper.setAlias(held, canary)).rejects.toEqual(gone);
    const drifted = expect.objectContaining({ type: 'TARGET_DRIFTED' }) as Error;
    await expect(keeper.claim({ ...held, createdAt: 1 })).rejects.toEqual(drifted);
    await expect(keeper.claim({ ...held, model: 'none' })).rejects.toEqual(drifted);
    expect(await model.look()).toEqual({ aliases: { champion: '1' }, tags: {} });
  });

  it('says that a version is gone to which an alias is to point', async () => {
    await keeper.claim(held);
    await model.deleteVersion('2');
    await expect(keeper.setAlias(held, canary)).rejects.toMatchObject({ type: 'TARGET_DRIFTED' });
    expect((await keeper.read({ model: model.name, aliases: ['champion'], versions: ['1', '2'] })).versions).toEqual([
      expect.objectContaining({ version: '1' }),
    ]);
  });
});

describe('a registry that answers otherwise', () => {
  let server: Server;
  let answer: { status: number; body: string; headers?: Record<string, string> };
  let asked: (string | undefined)[];
  let keeper: Keeper;
  const held = { model: 'sales', createdAt: 1 };
  beforeEach(async () => {
    asked = [];
    server = createServer(({ headers }, response) => {
      asked.push(headers.authorization);
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    keeper = new Keeper(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, 'a-secret'); // it listens on TCP
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const said = '{"error_code": "INVALID_PARAMETER_VALUE", "message": "value a-secret of a row"}';
  it.each([
    [401, 'RIGHTS_MISSING', 'the registry answers 401 INVALID_PARAMETER_VALUE', true],
    [403, 'RIGHTS_MISSING', 'the registry answers 403 INVALID_PARAMETER_VALUE', true],
    [400, 'REGISTRY_REFUSED', 'the registry answers 400 INVALID_PARAMETER_VALUE', true],
    [429, 'TARGET_BUSY', 'the registry answers 429 INVALID_PARAMETER_VALUE', false],
    [503, 'TARGET_UNREACHABLE', 'the registry answers 503 INVALID_PARAMETER_VALUE', false],
    [200, 'TARGET_UNREACHABLE', 'the registry answers with something that is not JSON', false],
  ])('with %i is %s, and of its words only the code is kept', async (status, type, message, nonRetryable) => {
    answer = { status, body: status === 200 ? '<html>' : said, headers: { 'retry-after': '7' } };
    await expect(keeper.claim(held)).rejects.toMatchObject({ type, message, nonRetryable });
    expect(asked).toEqual(['Bearer a-secret']);
  });

  it('is asked again when it says so', async () => {
    answer = { status: 429, body: '', headers: { 'retry-after': '7' } };
    await expect(keeper.claim(held)).rejects.toMatchObject({ nextRetryDelay: 7_000 });
  });

  it('is not followed elsewhere: the token is for it alone', async () => {
    answer = { status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } };
    await expect(keeper.claim(held)).rejects.toMatchObject({ type: 'TARGET_UNREACHABLE' });
  });

  it('keeps nobody from going home when it is away: only the fence is not raised', async () => {
    server.close();
    server.closeAllConnections();
    await keeper.raiseFence(held);
    await expect(keeper.setAlias(held, canary)).rejects.toMatchObject({ type: 'TARGET_UNREACHABLE' });
  });
});
