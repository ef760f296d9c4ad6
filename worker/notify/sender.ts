import type { MetricMeter } from '@temporalio/common';
import type { Logger } from 'pino';
import { channels, type Links } from '../../activities/notify/index.ts';
import { temporalAddressOf, type Config } from '../../config/index.ts';
import { triedFor } from '../../decisions/notifications/next-try.ts';
import { connectLedger, createOutbox, ledgerFailureCode, type Outbox } from '../../ledger/index.ts';
import { Alarm } from './alarm.ts';
import { ChannelSender } from './channel-sender.ts';
import { createFigures, type Figures } from './figures.ts';

/** How often messages that wait are counted, ms, and every how many counts old ones are forgotten. */
const countEvery = 15_000;
const tidyEvery = 240;
/** How long it can be looked up in the ledger what became of a message, ms. */
const keptFor = 30 * 86_400_000;

/** Sends notifications for as long as the worker runs. */
export interface Sender {
  /** Something was noted. */
  nudge(): void;
  /** Lets what is on its way come to its end, ten seconds at the most; twice is like once. */
  stop(): Promise<void>;
}

/** What a sender is made of. */
export interface SenderParts {
  readonly config: Config;
  readonly namespace: string;
  readonly log: Logger;
  readonly meter: MetricMeter;
}

/** Begins to send what waits in the ledger, for each channel by itself; without channels it does nothing. */
export function startSender({ config, namespace, log, meter }: SenderParts): Sender {
  const { notify } = config;
  if (Object.keys(notify).length === 0) return { nudge: () => undefined, stop: () => Promise.resolve() };
  // Connections of its own: a deployment that records must never wait for one.
  const ledger = connectLedger(config.ledger.url, { connections: 3 });
  const outbox = createOutbox(ledger);
  const figures = createFigures(meter);
  const links = (deployment: string): Links => linksOf(config, namespace, deployment);
  const senders = Object.entries(notify).map(
    ([name, { kind, ...address }]) =>
      new ChannelSender({ name, channel: channels[kind](address), outbox, links, figures, log }),
  );
  const keeper = new Keeper(outbox, figures, Object.keys(notify), log);
  const running = Promise.all([...senders.map((sender) => sender.serve()), keeper.serve()]);
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    for (const part of [...senders, keeper]) part.stop();
    await running;
    await ledger.destroy();
  };
  return {
    nudge() {
      for (const sender of senders) sender.nudge();
    },
    stop: () => (stopped ??= stop()),
  };
}

const linksOf = ({ environment, temporal, api }: Config, namespace: string, deployment: string): Links => ({
  environment,
  api: api.url === null ? null : `${api.url}/v1/deployments/${deployment}`,
  temporal: temporalAddressOf(temporal.ui, namespace, deployment),
});

/** Counts what waits, gives up what nobody can send, and forgets what is long over. */
class Keeper {
  readonly #outbox: Outbox;
  readonly #figures: Figures;
  readonly #known: readonly string[];
  readonly #log: Logger;
  readonly #alarm = new Alarm();
  #stopped = false;

  constructor(outbox: Outbox, figures: Figures, known: readonly string[], log: Logger) {
    this.#outbox = outbox;
    this.#figures = figures;
    this.#known = known;
    this.#log = log;
  }

  stop(): void {
    this.#stopped = true;
    this.#alarm.ring();
  }

  async serve(): Promise<void> {
    for (let round = 0; !this.#stopped; round += 1) {
      await this.#look(round % tidyEvery === 0).catch((error: unknown) => {
        this.#log.debug({ code: ledgerFailureCode(error) }, 'notifications were not counted');
      });
      await this.#alarm.sleep(countEvery);
    }
  }

  async #look(tidy: boolean): Promise<void> {
    const waiting = await this.#outbox.countWaiting();
    for (const channel of this.#known) this.#figures.waiting(channel, waiting.get(channel) ?? 0);
    if (!tidy) return;
    for (const { deployment, channel } of await this.#outbox.giveUpUnknown(this.#known, triedFor)) {
      this.#figures.count(channel, 'given-up');
      this.#log.error({ channel, deployment, because: 'no worker knows it' }, 'a notification is given up');
    }
    await this.#outbox.forget(keptFor);
  }
}
