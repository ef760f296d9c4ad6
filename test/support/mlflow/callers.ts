import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exposition } from '../prometheus.ts';

/** What has come of the requests. */
export interface Called {
  readonly sent: number;
  /** Answered 200, the whole body, by side. */
  readonly bySide: Readonly<Record<string, number>>;
  /** Why others were not. */
  readonly lost: readonly string[];
}

/** Numbers in one request. */
const batch = 20;
/** Callers at the same time, and how long each rests after an answer, ms. */
const callers = 4;
const restMs = 20;

/**
 * An application that asks whether numbers are odd, and knows it itself: what was right is counted at once, by the side
 * that the router names in `x-side`. It retries nothing.
 */
export class Callers {
  readonly #url: string;
  readonly #counters: Exposition;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: callers });
  readonly #bySide: Record<string, number> = {};
  readonly #lost: string[] = [];
  readonly #calling: Promise<unknown>;
  #sent = 0;
  #ending = false;

  constructor(url: string, counters: Exposition, sides: readonly string[]) {
    this.#url = url;
    this.#counters = counters;
    for (const side of sides) for (const name of names) counters.add(`${name}{side="${side}"}`, 0);
    this.#calling = Promise.all(Array.from({ length: callers }, () => this.#call()));
  }

  called(): Called {
    return { sent: this.#sent, bySide: { ...this.#bySide }, lost: [...this.#lost] };
  }

  async stop(): Promise<Called> {
    this.#ending = true;
    await this.#calling;
    this.#agent.destroy();
    return this.called();
  }

  async #call(): Promise<void> {
    while (!this.#ending) {
      const numbers = Array.from({ length: batch }, () => Math.floor(Math.random() * 1_000_000));
      this.#sent += 1;
      await this.#ask(numbers).then(
        ({ side, right }) => this.#count(side, right),
        (error: unknown) => this.#lost.push(String(error)),
      );
      await sleep(restMs);
    }
  }

  async #ask(numbers: readonly number[]): Promise<{ side: string; right: number }> {
    const body = JSON.stringify({ dataframe_records: numbers.map((n) => ({ n })) });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const options = { method: 'POST', agent: this.#agent, headers, timeout: 15_000 };
    const answer = await new Promise<{ status: number; side: string; said: string }>((resolve, reject) => {
      const asked = request(`${this.#url}/invocations`, options, (response) => {
        const side = String(response.headers['x-side']);
        text(response).then((said) => resolve({ status: response.statusCode ?? 0, side, said }), reject);
      });
      asked.on('timeout', () => asked.destroy(new Error('no answer')));
      asked.on('error', reject);
      asked.end(body);
    });
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    const { predictions } = JSON.parse(answer.said) as { readonly predictions: readonly number[] }; // of test/support/mlflow/model.py
    if (predictions.length !== numbers.length) throw new Error('half an answer');
    return { side: answer.side, right: numbers.filter((n, index) => n % 2 === predictions[index]).length };
  }

  #count(side: string, right: number): void {
    this.#bySide[side] = (this.#bySide[side] ?? 0) + 1;
    const more = [1, 0, batch, right] as const;
    for (const [index, name] of names.entries()) this.#counters.add(`${name}{side="${side}"}`, more[index] ?? 0);
  }
}

const names = ['requests_total', 'errors_total', 'scored_total', 'right_total'] as const;
