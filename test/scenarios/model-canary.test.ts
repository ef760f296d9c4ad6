import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { ModelSpec } from '../../contracts/model-spec.ts';
import { getHaproxy } from '../../tools/haproxy/get.ts';
import { askRuntime } from '../../tools/haproxy/runtime.ts';
import { startHaproxy, type RunningHaproxy } from '../../tools/haproxy/server.ts';
import { freePort } from '../../tools/ports.ts';
import { whyNot } from '../support/data-planes/why-not.ts';
import { Callers } from '../support/mlflow/callers.ts';
import { RegistryProxy } from '../support/mlflow/registry-proxy.ts';
import { describeOnMlflow, registry, scoringServer, TestModel } from '../support/mlflow/registry.ts';
import { describeOnPrometheus, Exposition, TestPrometheus } from '../support/prometheus.ts';
import { RealService } from '../support/real-service.ts';
import { required } from '../support/servers.ts';

const lacking = await whyNot('HAProxy', getHaproxy());
const describeOnAll = lacking === '' && describeOnPrometheus === describe ? describeOnMlflow : describe.skip;

/** Versions of the test's model, and the scoring servers of both. */
const versions = { usual: '1', better: '2' } as const;
type Side = keyof typeof versions;
const beside = { usual: 'better', better: 'usual' } as const;

describeOnAll('a canary of a model', () => {
  const counters = new Exposition();
  let service: RealService;
  let prometheus: TestPrometheus;
  let haproxy: RunningHaproxy;
  let callers: Callers;
  let way: RegistryProxy;
  let url: string;

  beforeAll(async () => {
    const [{ url: mlflow }, usual, better] = await Promise.all([
      registry(),
      scoringServer('usual'),
      scoringServer('better'),
    ]);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const sides = { usual, better };
    haproxy = await startHaproxy(() => configuration(port, sides), required('LAKESHIFT_TEST_PROCESSES'));
    callers = new Callers(url, counters, Object.keys(sides));
    prometheus = await TestPrometheus.start(counters);
    const routers = { edge: { kind: 'haproxy', address: haproxy.runtime } };
    way = await RegistryProxy.to(mlflow);
    service = await RealService.onRegistry({ registry: way.url, routers, prometheus: prometheus.url });
  }, 120_000);
  afterAll(async () => {
    await service.stop();
    await way.shut();
    const { lost, sent, bySide } = await callers.stop();
    await haproxy.stop();
    await prometheus.stop();
    counters.close();
    // of all of them, through all that these tests do
    expect({ lost, answered: Object.values(bySide).reduce((sum, count) => sum + count, 0) }).toEqual({
      lost: [],
      answered: sent,
    });
  }, 60_000);

  /** All to that side; it gets them before the other one gets none any more. */
  const weigh = (stable: Side): Promise<string> =>
    askRuntime(haproxy.runtime, `set weight split/${stable} 100; set weight split/${beside[stable]} 0`);
  const weightOf = async (side: Side): Promise<number> =>
    Number(/^\d+/.exec(await askRuntime(haproxy.runtime, `get weight split/${side}`))?.[0]);

  /** A model in which one side is in service, and the spec that brings the other one. */
  async function ready(stable: Side, wishes: Partial<ModelSpec> = {}): Promise<{ model: TestModel; spec: ModelSpec }> {
    const candidate = beside[stable];
    const model = await TestModel.of('usual', 'better', 'wider');
    await Promise.all([model.point('champion', versions[stable]), weigh(stable)]);
    const counted = (side: Side) => ({ part: `right_total{side="${side}"}`, whole: `scored_total{side="${side}"}` });
    const spec: ModelSpec = {
      name: 'forecast',
      strategy: 'model-canary',
      target: 'models',
      model: model.name,
      candidate: { version: Number(versions[candidate]), alias: 'canary' },
      stable: { alias: 'champion' },
      route: { via: 'haproxy', router: 'edge', backend: 'split', stable, candidate },
      seen: { url: `${url}/ping`, header: 'x-side', candidate, requests: 100 },
      checks: {
        metrics: 'shop',
        requests: `requests_total{side="${candidate}"}`,
        errors: { query: `errors_total{side="${candidate}"}`, max: '0.1%' },
        compare: [{ name: 'accuracy', candidate: counted(candidate), stable: counted(stable), margin: '10%' }],
        window: '1s',
        fail: '1 of 2',
        atLeast: 1,
      },
      steps: [
        { weight: 25, for: '1s' },
        { weight: 50, for: '1s' },
        { weight: 100, for: '1s', checks: false },
      ],
      every: '1s',
      ...wishes,
    };
    return { model, spec };
  }
  const start = async (spec: ModelSpec): Promise<string> => (await service.deploy(spec, randomUUID())).status.id;
  const at = (id: string, wanted: string, inPhase: string): Promise<true> =>
    service.until(`${wanted} ${inPhase}`, async () => {
      const { stage, phase } = (await service.view(id)).status;
      return stage === wanted && phase === inPhase ? true : null;
    });

  test('goes to everybody when it is better; the alias moves, and nothing of ours is left', async () => {
    const { model, spec } = await ready('usual', { keepOld: '1s' });
    const id = await start(spec);
    await service.reaches(id, 'deployed');
    expect(await model.look()).toEqual({ aliases: { canary: '2', champion: '2' }, tags: {} });
    expect([await weightOf('usual'), await weightOf('better')]).toEqual([0, 100]);
  }, 120_000);

  test('comes back with one order, alias and traffic, within a second', async () => {
    const { model, spec } = await ready('usual', { steps: [{ weight: 100, for: '1s', checks: false }], keepOld: '1h' });
    const id = await start(spec);
    await at(id, 'keep', 'in-grace');
    expect((await model.look()).aliases).toEqual({ canary: '2', champion: '2' });
    const ordered = Date.now();
    expect((await service.order(id, 'rollback')).status).toBe(200);
    await service.until('both to be back', async () => {
      const back = (await model.look()).aliases['champion'] === '1' && (await weightOf('better')) === 0;
      return back ? true : null;
    });
    const tookMs = Date.now() - ordered;
    await service.reaches(id, 'rolled-back');
    expect(await model.look()).toEqual({ aliases: { champion: '1' }, tags: {} });
    // on an idle machine it is below one second
    expect(tookMs).toBeLessThan(5_000);
  }, 120_000);

  test('goes back by itself when it is less accurate, and its alias goes', async () => {
    const { model, spec } = await ready('better', {
      steps: [
        { weight: 50, for: '1h' },
        { weight: 100, for: '1s' },
      ],
    });
    const id = await start(spec);
    const { status } = await service.reaches(id, 'rolled-back');
    expect(status.progress.because).toMatch(
      /^accuracy [78]\d\.\d\d % beside 9\d\.\d\d %, worse by more than 10\.00 %$/,
    );
    expect(await model.look()).toEqual({ aliases: { champion: '2' }, tags: {} });
    expect([await weightOf('usual'), await weightOf('better')]).toEqual([0, 100]);
  }, 120_000);

  test('parks when somebody moves its alias, and overwrites it neither then nor on the way back', async () => {
    const { model, spec } = await ready('usual', {
      steps: [
        { weight: 50, for: '1h' },
        { weight: 100, for: '1s' },
      ],
    });
    const id = await start(spec);
    await at(id, 'weight-50', 'watching');
    await model.point('canary', '3');
    const { status } = await service.reaches(id, 'needs-attention');
    expect(status.progress.parked).toEqual({
      code: 'TARGET_DRIFTED',
      detail: `alias canary of ${model.name} points to version 3, and not to 2`,
    });
    expect(await weightOf('better')).toBe(50);
    expect((await service.order(id, 'abort')).status).toBe(200);
    await at(id, 'alias', 'needs-attention');
    expect(await weightOf('better')).toBe(0);
    expect((await service.order(id, 'retry')).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    expect(await model.look()).toEqual({ aliases: { canary: '3', champion: '1' }, tags: {} });
  }, 120_000);

  test('goes home when it fails while the registry is away; the alias follows when that is back', async () => {
    const { model, spec } = await ready('usual', {
      steps: [
        { weight: 50, for: '1h' },
        { weight: 100, for: '1s' },
      ],
    });
    const id = await start(spec);
    await at(id, 'weight-50', 'watching');
    await way.shut();
    counters.moves(() => counters.add('errors_total{side="better"}', 1));
    try {
      await service.until('the traffic to be home', async () => ((await weightOf('better')) === 0 ? true : null));
      expect((await model.look()).aliases).toEqual({ canary: '2', champion: '1' });
    } finally {
      counters.moves(null);
      await way.reopen();
    }
    const { status } = await service.reaches(id, 'rolled-back');
    expect(status.progress.because).toMatch(/^errors \d+\.\d\d %, above 0\.10 % in /);
    expect(await model.look()).toEqual({ aliases: { champion: '1' }, tags: {} });
  }, 120_000);

  test('moves each alias once, also when the answers to it are lost', async () => {
    const { model, spec } = await ready('usual', { steps: [{ weight: 100, for: '1s', checks: false }] });
    const lose = (): void => {
      for (const path of ['set-tag', 'alias']) way.losing.add(`POST /api/2.0/mlflow/registered-models/${path}`);
    };
    lose();
    const id = await start(spec);
    await at(id, 'weight-100', 'watching');
    expect([...way.losing]).toEqual([]);
    lose();
    await service.reaches(id, 'deployed');
    expect([...way.losing]).toEqual([]);
    expect(await model.look()).toEqual({ aliases: { canary: '2', champion: '2' }, tags: {} });
  }, 120_000);

  test('is held by one deployment, and refused when it does not fit', async () => {
    const { model, spec } = await ready('usual', { steps: [{ weight: 100, for: '1s', approve: true }] });
    const wider = await service.post('/v1/plans', { ...spec, candidate: { version: 3, alias: 'canary' } });
    expect(wider).toMatchObject({
      status: 422,
      body: {
        code: 'PLAN_REFUSED',
        errors: [
          {
            pointer: '/candidate/version',
            detail: `version 3 of ${model.name} does not fit where version 1 is: it wants input m, which nobody sends`,
          },
        ],
      },
    });
    const id = await start(spec);
    const second = await service.post('/v1/deployments', { ...spec, name: 'second' });
    expect(second).toMatchObject({ status: 409, body: { code: 'TARGET_TAKEN', holder: id } });
    expect((await service.order(id, 'abort')).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    expect(await model.look()).toEqual({ aliases: { champion: '1' }, tags: {} });
  }, 120_000);

  test('is what the example says, under names and times of its own', async () => {
    const { spec } = await ready('usual');
    const text = await readFile(new URL('../../examples/13-canary-of-a-model.yaml', import.meta.url), 'utf8');
    const example = parse(text) as ModelSpec; // test/cli/examples.test.ts checks it
    const named = JSON.parse(
      JSON.stringify(example).replaceAll('v12', 'better').replaceAll('v11', 'usual').replaceAll('sum(', '('),
    ) as ModelSpec;
    const { route, seen, model, candidate, checks } = spec;
    const compare = (named.checks?.compare ?? []).map((one) => ({ ...one, margin: '10%' }));
    const { metrics: _, p99: __, ...asked } = named.checks ?? checks ?? { metrics: '', requests: '' };
    const id = await start({
      ...named,
      ...{ model, candidate, seen },
      route: { ...route, stable: named.route.stable, candidate: named.route.candidate },
      checks: { ...asked, metrics: 'shop', compare, window: '1s', fail: '1 of 2', atLeast: 1 },
      steps: (named.steps ?? []).map(({ weight, onFail }) => ({
        weight,
        for: '1s',
        ...(onFail === undefined ? {} : { onFail }),
      })),
      every: '1s',
      keepOld: '1s',
    });
    await service.reaches(id, 'deployed');
  }, 120_000);
});

/** Two servers by their weights; who has answered stands in a header. */
const configuration = (port: number, sides: Readonly<Record<string, string>>): string => `
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  retries 0
frontend front
  bind 127.0.0.1:${port}
  default_backend split
backend split
  balance roundrobin
  http-response set-header x-side %s
${Object.entries(sides)
  .map(([name, address]) => `  server ${name} ${new URL(address).host} weight ${name === 'usual' ? 100 : 0}\n`)
  .join('')}`;
