import { createHmac } from 'node:crypto';
import { channels, type Links } from '../../../activities/notify/index.ts';
import { retryAfter } from '../../../activities/notify/post.ts';
import { signatureHeaders } from '../../../activities/notify/sign.ts';
import { channelKinds, type Notification } from '../../../contracts/notifications.ts';
import { freePort } from '../../../tools/ports.ts';
import { Receiver, type Received } from '../../support/receiver.ts';

const secret = `whsec_${Buffer.from('s'.repeat(32)).toString('base64')}`;
const links: Links = {
  environment: 'test',
  api: 'https://lakeshift.example/v1/deployments/a-1',
  temporal: 'http://t/a|b',
};
const notification: Notification = {
  deployment: 'payments-cents-0aa637eb',
  seq: 12,
  at: Date.UTC(2030, 0, 31, 12),
  point: 'parked',
  name: 'payments-cents',
  target: 'shop',
  strategy: 'expand-contract',
  phase: 'needs-attention',
  stage: 'verify',
  text: 'needs attention',
  because: 'pause by <!channel> & co: *lunch*',
};

let receiver: Receiver;
beforeEach(async () => {
  receiver = await Receiver.open();
});
afterEach(() => receiver.down());

/** The only request that came. */
function theOne(): Received {
  const [one, ...others] = receiver.received;
  if (one === undefined || others.length > 0) throw new Error(`${receiver.received.length} requests`);
  return one;
}
const webhook = () => channels.webhook({ url: receiver.url('/hook'), secret });
const slack = () => channels.slack({ url: receiver.url('/services/T/B/X'), secret: null });

test('every kind of channel sends, and takes 2xx for taken', async () => {
  for (const kind of channelKinds) {
    receiver.reply = () => ({ status: 204 });
    const channel = channels[kind]({ url: receiver.url(), secret });
    expect(await channel.send(notification, links)).toEqual({ taken: true, because: 'HTTP 204' });
  }
  expect(receiver.received).toHaveLength(channelKinds.length);
});

test('a webhook gets a CloudEvent in structured mode, with a signature over id, moment and body', async () => {
  await webhook().send(notification, links);
  const { headers, body } = theOne();
  expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
  expect(JSON.parse(body)).toEqual({
    specversion: '1.0',
    id: 'payments-cents-0aa637eb-12',
    source: 'urn:lakeshift:test',
    type: 'dev.lakeshift.deployment.parked',
    subject: 'payments-cents-0aa637eb',
    time: '2030-01-31T12:00:00.000Z',
    datacontenttype: 'application/json',
    data: {
      deployment: 'payments-cents-0aa637eb',
      seq: 12,
      point: 'parked',
      environment: 'test',
      name: 'payments-cents',
      target: 'shop',
      strategy: 'expand-contract',
      phase: 'needs-attention',
      stage: 'verify',
      text: 'needs attention',
      because: 'pause by <!channel> & co: *lunch*',
      links: { api: links.api, temporal: links.temporal },
    },
  });
  const [id, timestamp] = [String(headers['webhook-id']), String(headers['webhook-timestamp'])];
  expect(id).toBe('payments-cents-0aa637eb-12');
  expect(Math.abs(Number(timestamp) * 1_000 - Date.now())).toBeLessThan(60_000);
  const expected = createHmac('sha256', 's'.repeat(32)).update(`${id}.${timestamp}.${body}`).digest('base64');
  expect(headers['webhook-signature']).toBe(`v1,${expected}`);
});

test('the signature is that of the libraries of Standard Webhooks: their own example', () => {
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
  expect(
    signatureHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', id, 1_614_265_330_000, '{"test": 2432232314}'),
  ).toEqual({
    'webhook-id': id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('Slack gets one text with deployment, phase, stage, reason and links, in which nothing of a reason is markup', async () => {
  await slack().send(notification, links);
  const { path, headers, body } = theOne();
  expect([path, headers['content-type']]).toEqual(['/services/T/B/X', 'application/json; charset=utf-8']);
  expect((JSON.parse(body) as { text: string }).text.split('\n')).toEqual([
    '*payments-cents*: needs attention',
    'because: pause by &lt;!channel&gt; &amp; co: *lunch*',
    'phase needs-attention · stage verify · target shop · test',
    '<https://lakeshift.example/v1/deployments/a-1|payments-cents-0aa637eb> · <http://t/a%7Cb|Temporal>',
  ]);
  expect(headers['webhook-signature']).toBeUndefined();
});

test.each([
  [500, false],
  [503, false],
  [408, false],
  [425, false],
  [429, false],
  [400, true],
  [401, true],
  [404, true],
  [410, true],
])('HTTP %s is not taken, and it says whether the receiver refuses this very message: %s', async (status, refused) => {
  receiver.reply = () => ({ status });
  expect(await webhook().send(notification, links)).toEqual({
    taken: false,
    refused,
    because: `HTTP ${status}`,
    retryAfterMs: null,
  });
});

test('a redirect is not followed', async () => {
  receiver.reply = () => ({ status: 307, headers: { location: receiver.url('/elsewhere') } });
  expect(await slack().send(notification, links)).toMatchObject({ taken: false, because: 'HTTP 307, a redirect' });
  expect(receiver.received.map(({ path }) => path)).toEqual(['/services/T/B/X']);
});

test('what a receiver asks for with Retry-After is read in both of its forms', () => {
  const now = Date.UTC(2030, 0, 1);
  expect(retryAfter('7', now)).toBe(7_000);
  expect(retryAfter(new Date(now + 5_000).toUTCString(), now)).toBe(5_000);
  expect(retryAfter(new Date(now - 5_000).toUTCString(), now)).toBe(0);
  expect([retryAfter('soon', now), retryAfter(null, now)]).toEqual([null, null]);
});

test('a receiver that is not there, or says nothing, is told by a code and never by its address', async () => {
  const gone = channels.slack({ url: `http://127.0.0.1:${await freePort()}/services/planted`, secret: null });
  expect(await gone.send(notification, links)).toEqual({
    taken: false,
    refused: false,
    because: 'ECONNREFUSED',
    retryAfterMs: null,
  });
  receiver.reply = () => null;
  expect(await slack().send(notification, links)).toMatchObject({ taken: false, because: 'no answer within 10 s' });
}, 60_000);
