import { Pool, type Dispatcher } from 'undici';
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

/** Of a request costs a third of what `node:http` does: what is measured is the proxy and not its client. One at a time on each connection. */
const pool = new Pool(wish.url, {
  connections: wish.connections,
  pipelining: 1,
  connect: { timeout: patienceMs },
  headersTimeout: patienceMs,
  bodyTimeout: patienceMs,
});
const tally = new RequestTally();
let [stopping, isDone] = [false, false];
const waiting: (() => void)[] = [];

const say = (message: FromSender): void => void process.send?.(message);

function send(): void {
  pool.dispatch({ path: '/', method: 'GET' }, new Answer(tally.begin()));
}

/** What comes of one request. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #request: number;
  #status = 0;
  #body = '';

  constructor(request: number) {
    this.#request = request;
  }

  /** The library asks for it. */
  onRequestStart(): void {
    // it was counted before
  }

  onResponseStart(_: unknown, status: number): void {
    this.#status = status;
  }

  onResponseData(_: unknown, part: Buffer): void {
    this.#body += part.toString('latin1');
  }

  onResponseEnd(): void {
    try {
      const version = this.#status === 200 ? versionIn(this.#body) : '';
      end(() => tally.answered(this.#request, this.#status, version));
    } catch (error) {
      this.onResponseError(null, error);
    }
  }

  onResponseError(_: unknown, error: unknown): void {
    end(() => tally.lost(this.#request, codeOf(error)));
  }
}

// test/support/kubernetes/application.ts writes it
const versionIn = (body: string): string => (JSON.parse(body) as { readonly version: string }).version;

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
