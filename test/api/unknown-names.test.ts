import type { CanarySpec, ReleaseSpec, RouteSpec } from '../../contracts/release-spec.ts';
import { blueGreenSpec, canarySpec, checks, everyRoute } from '../support/release-specs.ts';
import { by, startService, type Service } from './support/service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const errorsOf = async (payload: object): Promise<unknown> => {
  const answer = await service.app.inject(by('operator', { method: 'POST', url: '/v1/plans', payload }));
  expect(answer.statusCode).toBe(422);
  return answer.json<{ errors: unknown }>().errors;
};

// at 100 % there is nothing left to compare with
const { compare: _, ...alone } = checks;
const elsewhere = { ...alone, metrics: 'shop-promethius' };
const haproxy = everyRoute['haproxy'] as Extract<RouteSpec, { readonly via: 'haproxy' }>;
const nginx = everyRoute['nginx'] as Extract<RouteSpec, { readonly via: 'nginx' }>;
const canary = (change: Partial<CanarySpec>): CanarySpec => ({ ...canarySpec, ...change });

describe('a name that is not in the configuration is refused with the nearest one', () => {
  test.each<[string, ReleaseSpec, string]>([
    ['metrics', canary({ checks: elsewhere, steps: [{ weight: 100 }] }), '/checks/metrics'],
    ['metrics', canary({ steps: [{ weight: 5 }, { weight: 100, checks: elsewhere }] }), '/steps/1/checks/metrics'],
    [
      'metrics',
      canary({ steps: [{ weight: 100 }], seen: { metrics: 'shop-promethius', candidate: 'a', stable: 'b' } }),
      '/seen/metrics',
    ],
    ['metrics', { ...blueGreenSpec, watch: { checks: elsewhere } }, '/watch/checks/metrics'],
  ])('%s at %3$s', async (_, spec, pointer) => {
    expect(await errorsOf(spec)).toEqual([
      {
        pointer,
        detail: 'there is no metrics source shop-promethius in the configuration',
        didYouMean: 'shop-prometheus',
      },
    ]);
  });

  test('a router', async () => {
    expect(await errorsOf(canary({ route: { ...haproxy, router: 'egde-haproxy' } }))).toEqual([
      {
        pointer: '/route/router',
        detail: 'there is no router egde-haproxy in the configuration',
        didYouMean: 'edge-haproxy',
      },
    ]);
  });

  test('a router of another kind', async () => {
    expect(await errorsOf(canary({ route: { ...nginx, router: 'edge-haproxy' } }))).toEqual([
      { pointer: '/route/router', detail: 'router edge-haproxy is of kind haproxy, not nginx' },
    ]);
  });

  test('a name that every object has, such as constructor', async () => {
    expect(await errorsOf(canary({ route: { ...nginx, router: 'constructor' } }))).toEqual([
      { pointer: '/route/router', detail: 'there is no router constructor in the configuration' },
    ]);
  });

  test('together with everything else that is wrong', async () => {
    const spec = { ...canary({ route: { ...haproxy, router: 'edge' }, every: '0s' }), target: 'k8s-dat' };
    expect(await errorsOf(spec)).toEqual([
      expect.objectContaining({ pointer: '/every' }),
      expect.objectContaining({ pointer: '/target', didYouMean: 'k8s-data' }),
      expect.objectContaining({ pointer: '/route/router' }),
    ]);
  });
});
