import { pathOfQueries, withFollowUps, withoutFollowUps } from '../../../activities/traffic/follow-up-rules.ts';
import type { FollowUps } from '../../../contracts/running.ts';

const coordinator = (name: string) => ({ name, url: `http://${name}`, user: 'lakeshift' });
const followUps: FollowUps = {
  route: { namespace: 'shop', name: 'trino' },
  service: 'trino',
  sides: ['trino-blue', 'trino-green'].map((service) => ({ service, coordinator: coordinator(service) })),
  address: 'http://trino',
};
const plain = [
  {
    name: 'ui',
    matches: [{ path: { type: 'PathPrefix', value: '/ui' } }],
    backendRefs: [{ name: 'console', port: 80 }],
  },
  {
    name: 'all',
    matches: [
      { path: { type: 'PathPrefix', value: '/' }, headers: [{ name: 'x-tenant', value: 'a' }] },
      { path: { type: 'PathPrefix', value: '/v1' }, headers: [{ name: 'x-tenant', value: 'a' }] },
    ],
    filters: [{ type: 'RequestHeaderModifier' }],
    timeouts: { request: '10m' },
    backendRefs: [{ name: 'trino', port: 8080, weight: 1 }],
  },
];
const path = (id: string) => ({ type: 'RegularExpression', value: pathOfQueries(id) });
const rule = (id: string, side: string) => ({
  matches: [{ path: path(id), headers: [{ name: 'x-tenant', value: 'a' }] }],
  filters: [{ type: 'RequestHeaderModifier' }],
  timeouts: { request: '10m' },
  backendRefs: [{ name: side, port: 8080, weight: 1 }],
});

describe('rules for follow-up requests', () => {
  const both = new Map([
    ['trino-blue', 'aaaaa'],
    ['trino-green', 'bbbbb'],
  ]);
  const kept = withFollowUps(plain, followUps, both);

  test('are those that name the Service, for the queries of one coordinator, and to its side alone', () => {
    expect(kept).toEqual([rule('aaaaa', 'trino-blue'), rule('bbbbb', 'trino-green'), ...plain]);
  });

  test('are written twice as once, and taken back without a trace', () => {
    expect(withFollowUps(kept, followUps, both)).toEqual(kept);
    expect(withoutFollowUps(kept, followUps.sides)).toEqual(plain);
  });

  test('follow a coordinator that has another id, and stay those of one that says nothing', () => {
    expect(withFollowUps(kept, followUps, new Map([['trino-green', 'ccccc']]))).toEqual([
      rule('aaaaa', 'trino-blue'),
      rule('ccccc', 'trino-green'),
      ...plain,
    ]);
  });

  test('of somebody else stay', () => {
    const theirs = { ...rule('aaaaa', 'elsewhere'), name: 'theirs' };
    expect(withoutFollowUps([theirs, ...kept], followUps.sides)).toEqual([theirs, ...plain]);
  });

  test.each([
    ['/v1/statement/queued/20261129_192442_00000_aaaaa/y65df/1', true],
    ['/v1/statement/executing/20261129_192442_00000_aaaaa/y65df/0', true],
    ['/v1/statement/executing/partialCancel/20261129_192442_00000_aaaaa/1/y65df/0', true],
    ['/v1/query/20261129_192442_00000_aaaaa', true],
    ['/trino/v1/query/20261129_192442_00000_aaaaa', true],
    ['/v1/statement', false],
    ['/v1/statement/queued/20261129_192442_00000_bbbbb/aaaaa/1', false],
    ['/v1/query/20261129_192442_00000_aaaaab', false],
  ])('take %s: %s', (asked, taken) => {
    expect(new RegExp(pathOfQueries('aaaaa')).test(asked)).toBe(taken);
  });
});
