import { describeOnKubernetes, freshNamespace, type TestNamespace } from '../../support/kubernetes/cluster.ts';
import { rights } from '../../support/kubernetes/rights.ts';
import { Objects, type Sample } from '../../support/traffic/ground.ts';
import { Hands } from '../../support/traffic/hands.ts';
import { flagGround } from '../../support/traffic/object-grounds.ts';

const variants = { on: true, off: false };
const plain = { state: 'ENABLED', variants, defaultVariant: 'off' };

describeOnKubernetes('a flag of flagd', () => {
  let namespace: TestNamespace;
  let hands: Hands;
  let sample: Sample;
  beforeAll(async () => {
    namespace = await freshNamespace();
    await namespace.allow(...rights);
    const ground = await flagGround(namespace);
    hands = await Hands.open(namespace, ground);
    sample = await ground.fresh('flag');
    await hands.claim(sample);
  }, 60_000);
  afterAll(async () => {
    await hands.close();
    await namespace.drop();
  });
  const become = (flag: unknown): Promise<void> => {
    const text = typeof flag === 'string' ? flag : JSON.stringify({ flags: { checkout: flag } });
    return new Objects(namespace).patch(sample.held, { data: { 'flags.json': text } });
  };

  test.each([
    [
      'with shares',
      {
        ...plain,
        targeting: {
          fractional: [
            ['on', 25],
            ['off', 75],
          ],
        },
      },
      25,
      '25 % on the candidate',
    ],
    ['with shares that say no number', { ...plain, targeting: { fractional: [['on'], ['off']] } }, 50, '50 % on the'],
    [
      'of a share twice',
      {
        ...plain,
        targeting: {
          fractional: [
            ['on', 1],
            ['on', 1],
            ['off', 2],
          ],
        },
      },
      50,
      '50 % on the',
    ],
    ['for everybody', { ...plain, defaultVariant: 'on' }, 100, 'everybody has on'],
    ['that is disabled', { ...plain, state: 'DISABLED' }, null, 'the flag is disabled'],
    [
      'that tells users apart in a way of its own',
      { ...plain, targeting: { fractional: [{ var: 'email' }, ['on', 25], ['off', 75]] } },
      null,
      'the flag has other targeting',
    ],
    ['with a rule', { ...plain, targeting: { if: [true, 'on'] } }, null, 'the flag has other targeting'],
    ['without a variant', { ...plain, variants: { off: false } }, null, 'the flag has no variant on'],
    ['that is not there', '{"flags":{}}', null, 'there is no flag checkout in key flags.json'],
    ['in a file that is no JSON', 'flags: {}', null, 'there is no flag checkout in key flags.json'],
  ])('%s', async (_, flag, weight, because) => {
    await become(flag);
    const { state } = await hands.look(sample.route);
    expect(state).toEqual({ weight, because: expect.stringContaining(because) as string });
  });

  test('that is disabled can not be given a share', async () => {
    await become({ ...plain, state: 'DISABLED' });
    const version = await sample.version();
    await expect(hands.set(sample, sample.route, 5)).rejects.toMatchObject({ type: 'TARGET_DRIFTED' });
    expect(await sample.version()).toBe(version);
  });
});
