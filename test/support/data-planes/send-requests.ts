import { Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { FromSender, ToSender, Wish } from './request-messages.ts';
import { RequestTally } from './request-tally.ts';

// Run as a program, so that what a test does meanwhile can't delay it. Ends when whoever started it does.
const [given] = process.argv.slice(2);
if (given === undefined) throw new Error('usage: send-requests.ts <wish as JSON>');
const wish = JSON.parse(given) as Wish; // requests.ts writes it
process.on('disconnect', () => process.exit());

/** A request that nobody has answered by then is lost, ms. */
const patienceMs = 10_000;
/** What a pause has kept from being sent is made up for, but not all at once, ms of the rate. */
const arrearsMs = 100;

const agent = new Agent({ keepAlive: true, maxSockets: wish.connections });
const tally = new RequestTally();
let [stopping, isDone] = [false, false];
const waiting: (() => void)[] = [];

const say = (message: FromSender): void => void process.send?.(message);

function send(): void {
  const request = tally.begin();
  const asked = get(wish.url, { agent, timeout: patienceMs }, (response) => {
    read(response).then(
      ({ status, version }) => end(() => tally.answered(request, status, version)),
      (error: unknown) => end(() => tally.lost(request, codeOf(error))),
    );
  });
  // after the answer has begun it is for whoever reads it to say
  let answering = false;
  asked.on('timeout', () => asked.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
  asked.on('response', () => (answering = true));
  asked.on('error', (error) => {
    if (!answering) end(() => tally.lost(request, codeOf(error)));
  });
}

async function read(response: IncomingMessage): Promise<{ status: number; version: string }> {
  const body = await text(response);
  const status = response.statusCode ?? 0;
  if (status !== 200) return { status, version: '' };
  // test/support/kubernetes/application.ts writes it
  return { status, version: (JSON.parse(body) as { readonly version: string }).version };
}

function end(note: () => void): void {
  note();
  if (tally.underWay > 0) return;
  if (stopping) for (const resolve of waiting.splice(0)) resolve();
  if (tally.sent === wish.total && !isDone) {
    isDone = true;
    say({ kind: 'done' });
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error ? ('code' in error ? String(error.code) : error.name) : 'UNKNOWN';

let last = performance.now();
let owed = 0;
const pacing = setInterval(() => {
  const now = performance.now();
  owed = Math.min(owed + ((now - last) * wish.perSecond) / 1_000, (arrearsMs * wish.perSecond) / 1_000);
  last = now;
  const left = (wish.total ?? Infinity) - tally.sent;
  const going = Math.min(Math.floor(owed), wish.connections - tally.underWay, left);
  for (let sent = 0; sent < going; sent += 1) send();
  owed -= Math.max(0, going);
  if (left <= 0) clearInterval(pacing);
}, 2);

process.on('message', (message) => {
  const question = message as ToSender & { readonly id: number }; // requests.ts writes it
  const { id } = question;
  if (question.kind === 'between') {
    say({ kind: 'share', id, share: tally.between(question.from, question.to) });
    return;
  }
  const tell = (): void => {
    say({ kind: 'counts', id, counts: tally.counts() });
  };
  if (question.kind === 'stop') {
    stopping = true;
    clearInterval(pacing);
  }
  if (question.kind === 'counts' || tally.underWay === 0) tell();
  else waiting.push(tell);
});
