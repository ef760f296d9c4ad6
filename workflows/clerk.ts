import { condition, sleep } from '@temporalio/workflow';
import type { DeploymentEvent, EventKind } from '../contracts/events.ts';
import type { JsonObject } from '../contracts/json.ts';
import type { DeploymentInput } from '../contracts/messages.ts';
import type { Carried, Status } from '../contracts/progress.ts';
import { record } from './activities.ts';
import { failureOf } from './failure-of.ts';

/** How many events one entry holds at the most. */
const batch = 100;
/** How long to leave a ledger alone that has refused an entry for good, ms. */
const coolDown = 10_000;

/** What may wait for the next entry: each entry costs six events of the history. */
const canWait: ReadonlySet<EventKind> = new Set(['reading', 'finding', 'evidence', 'stage-ended']);

/**
 * Keeps the ledger: what happens goes into an outbox, and one coroutine hands it over in order. A ledger that is down
 * stops nothing else; what it owes is carried into the next run.
 */
export class Clerk {
  readonly #input: DeploymentInput;
  readonly #status: () => Status;
  #outbox: readonly DeploymentEvent[];
  #seq: number;
  #planRecorded: boolean;
  /** Something is new since the last entry was made. */
  #changed: boolean;
  /** The next entry shall be made now. */
  #due = false;
  /** An entry is on its way. */
  #writing = false;

  constructor(input: DeploymentInput, status: () => Status) {
    this.#input = input;
    this.#planRecorded = input.carried !== undefined && input.carried.planRecorded !== false;
    this.#status = status;
    this.#outbox = input.carried?.outbox ?? [];
    this.#seq = input.carried?.eventSeq ?? 0;
    this.#changed = this.#outbox.length > 0;
  }

  /** True when the ledger has everything. */
  get drained(): boolean {
    return this.#outbox.length === 0 && !this.#changed && !this.#writing;
  }

  /** Puts an event into the outbox; `at` in epoch ms. */
  note(at: number, kind: EventKind, stage: string | null, text: string, data: JsonObject): void {
    this.#seq += 1;
    this.#outbox = [...this.#outbox, { seq: this.#seq, at, kind, stage, text, data }];
    this.#changed = true;
    if (!canWait.has(kind)) this.#due = true;
  }

  /** The status is another one, even if nothing happened that is worth an event. */
  statusChanged(): void {
    this.#changed = true;
  }

  /** The ledger shall hear now what could have waited: nothing else may happen for a while. */
  flush(): void {
    this.#due ||= this.#changed;
  }

  /** What the next run has to know. */
  carried(): Required<Pick<Carried, 'eventSeq' | 'outbox' | 'planRecorded'>> {
    return { eventSeq: this.#seq, outbox: this.#outbox, planRecorded: this.#planRecorded };
  }

  /** Hands over whatever comes, for as long as the workflow runs. `show` is called with each change. */
  async serve(show: () => void): Promise<never> {
    for (;;) {
      await condition(() => this.#due);
      this.#due = false;
      this.#changed = false;
      this.#writing = true;
      show();
      if (!(await this.#handOver())) {
        this.#due = this.#changed = true;
        await sleep(coolDown, { summary: 'the ledger refused an entry' });
      }
      this.#writing = false;
    }
  }

  async #handOver(): Promise<boolean> {
    const { id, plan } = this.#input;
    const owed = this.#planRecorded ? {} : { plan };
    const events = this.#outbox.slice(0, batch);
    try {
      await record(`ledger: ${summary(events)}`, { id, status: this.#status(), events, ...owed });
    } catch (error) {
      if (failureOf(error) === null) throw error;
      return false;
    }
    this.#outbox = this.#outbox.slice(events.length);
    this.#due ||= events.length === batch;
    this.#planRecorded = true;
    return true;
  }
}

const summary = (events: readonly DeploymentEvent[]): string =>
  events.length === 0 ? 'status' : [...new Set(events.map(({ kind }) => kind))].join(', ').slice(0, 150);
