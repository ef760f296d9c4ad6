import type { Logger } from 'pino';
import { answerWithin, type Channel, type Links } from '../../activities/notify/index.ts';
import type { Answer } from '../../contracts/notifications.ts';
import { nextTry } from '../../decisions/notifications/next-try.ts';
import { ledgerFailureCode, type ClaimedMessage, type Outbox } from '../../ledger/index.ts';
import { Alarm } from './alarm.ts';
import type { Figures } from './figures.ts';

/** Messages of one channel that one worker sends at once. */
const atOnce = 4;
/** How long a message is this worker's, ms: longer than a send, and the word about it, may take. */
const lease = 30_000;
/** How long to wait when nothing is due, ms; what this worker itself notes is sent at once. */
const pause = 2_000;
/** How long to leave a ledger alone that does not answer, ms. */
const ledgerPause = 5_000;

const refusal = 'a channel refuses a notification; trying again';

/** What one channel is served with. */
export interface ChannelSenderParts {
  readonly name: string;
  readonly channel: Channel;
  readonly outbox: Outbox;
  readonly links: (deployment: string) => Links;
  readonly figures: Figures;
  readonly log: Logger;
}

/** Sends what waits for one channel. Each has its own: a receiver that is slow or gone keeps no other one waiting. */
export class ChannelSender {
  readonly #parts: ChannelSenderParts;
  readonly #alarm = new Alarm();
  #stopped = false;
  /** What is wrong with the receiver or the ledger; told once, until it is well again. */
  #trouble: string | null = null;

  constructor(parts: ChannelSenderParts) {
    this.#parts = parts;
  }

  /** Something may be due. */
  nudge(): void {
    this.#alarm.ring();
  }

  /** What is on its way comes to its end; nothing new is begun. */
  stop(): void {
    this.#stopped = true;
    this.#alarm.ring();
  }

  /** Serves until it is stopped; never throws. */
  async serve(): Promise<void> {
    while (!this.#stopped) {
      const wait = await this.#round();
      if (wait > 0 && !this.#isStopped()) await this.#alarm.sleep(wait * (0.75 + Math.random() / 2));
    }
  }

  /** Sends what is due, some at a time; gives how long to wait before the next look, ms. */
  async #round(): Promise<number> {
    const { name, outbox } = this.#parts;
    const claimedAt = performance.now();
    try {
      const claimed = await outbox.claim(name, atOnce, lease);
      await Promise.all(claimed.map((message) => this.#send(message, claimedAt)));
      return claimed.length === 0 ? pause : 0;
    } catch (error) {
      this.#tell(`the ledger does not answer (${ledgerFailureCode(error)})`);
      return ledgerPause;
    }
  }

  async #send(claimed: ClaimedMessage, claimedAt: number): Promise<void> {
    const { name, channel, outbox, links, figures } = this.#parts;
    // Another worker may have it by the time that this one would be answered.
    if (performance.now() - claimedAt > lease - 2 * answerWithin) return;
    const answer = await channel.send(claimed.message, links(claimed.deployment));
    if (!answer.taken) return this.#notTaken(claimed, answer);
    figures.count(name, 'sent');
    await outbox.markSent(name, claimed, answer.because);
    this.#well();
  }

  async #notTaken(claimed: ClaimedMessage, answer: Extract<Answer, { taken: false }>): Promise<void> {
    const { name, outbox, figures, log } = this.#parts;
    const { deployment, seq, tries } = claimed;
    const { because, refused, retryAfterMs } = answer;
    const next = nextTry(answer, tries, claimed.ageMs, Math.random());
    if (next.giveUp) {
      figures.count(name, 'given-up');
      log.error({ channel: name, deployment, seq, tries, because }, 'a notification is given up');
      await outbox.giveUp(name, claimed, because);
      return;
    }
    figures.count(name, 'failed');
    if (!refused) this.#tell(because);
    // Said of the message, once: others may be taken.
    else if (tries === 1) log.warn({ channel: name, deployment, seq, because }, refusal);
    const quietMs = retryAfterMs === null ? null : next.inMs;
    await outbox.putOff(name, claimed, { answer: because, refused, inMs: next.inMs, quietMs });
  }

  #tell(because: string): void {
    const { name, log } = this.#parts;
    if (this.#trouble === null) log.warn({ channel: name, because }, 'a channel takes no notifications; trying again');
    this.#trouble = because;
  }

  #well(): void {
    const { name, log } = this.#parts;
    if (this.#trouble !== null) log.info({ channel: name }, 'a channel takes notifications again');
    this.#trouble = null;
  }

  /** The compiler believes that nobody changes the field while this one waits. */
  #isStopped(): boolean {
    return this.#stopped;
  }
}
