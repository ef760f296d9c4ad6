import { sql } from 'kysely';
import type { Notification } from '../contracts/notifications.ts';
import type { Ledger } from './connect.ts';

/** One message that this process may send now, and nobody else. */
export interface ClaimedMessage {
  readonly deployment: string;
  readonly seq: number;
  readonly message: Notification;
  /** Tries with this one. */
  readonly tries: number;
  /** Since it was noted, ms, by the clock of the database. */
  readonly ageMs: number;
}

type Key = Pick<ClaimedMessage, 'deployment' | 'seq' | 'tries'>;

/** The messages that wait, one channel at a time. Throws driver errors. */
export interface Outbox {
  /**
   * Takes up to `most` messages that are due, for `leaseMs`: if nothing is said of one until then, another worker takes
   * it. Messages of one deployment come in order; one that its receiver refuses holds up none.
   */
  claim(channel: string, most: number, leaseMs: number): Promise<readonly ClaimedMessage[]>;
  /** It was taken. */
  markSent(channel: string, key: Key, answer: string): Promise<void>;
  /** It was not, and is due again in `inMs`. With `quietMs` the whole channel is left alone for so long. */
  putOff(
    channel: string,
    key: Key,
    how: { readonly answer: string; readonly refused: boolean; readonly inMs: number; readonly quietMs: number | null },
  ): Promise<void>;
  /** It was not, and will not be tried again. */
  giveUp(channel: string, key: Key, answer: string): Promise<void>;
  /** Gives up what nobody has tried for a day after `afterMs`, because no worker knows its channel any more. */
  giveUpUnknown(known: readonly string[], afterMs: number): Promise<readonly { deployment: string; channel: string }[]>;
  /** Forgets what came to its end so long ago, ms. */
  forget(afterMs: number): Promise<void>;
  /** How many wait, by channel. */
  countWaiting(): Promise<ReadonlyMap<string, number>>;
}

const ms = (value: number) => sql`make_interval(secs => ${value}::float8 / 1000)`;

/** The outbox of a connected ledger. All times are the database's: workers' clocks differ. */
export const createOutbox = (ledger: Ledger): Outbox => ({
  claim: (channel, most, leaseMs) => claim(ledger, channel, most, leaseMs),
  markSent: (channel, key, answer) => ended(ledger, channel, key, 'sent', answer),
  giveUp: (channel, key, answer) => ended(ledger, channel, key, 'given-up', answer),
  async putOff(channel, { deployment, seq, tries }, { answer, refused, inMs, quietMs }) {
    await sql`
      update lakeshift_ledger.outbox
      set next_at = clock_timestamp() + ${ms(inMs)}, refused = ${refused}, answer = ${answer}
      where deployment = ${deployment} and seq = ${seq} and channel = ${channel} and tries = ${tries}
        and state = 'waiting'`.execute(ledger);
    if (quietMs === null) return;
    await sql`
      update lakeshift_ledger.outbox set next_at = greatest(next_at, clock_timestamp() + ${ms(quietMs)})
      where channel = ${channel} and state = 'waiting'`.execute(ledger);
  },
  async giveUpUnknown(known, afterMs) {
    const { rows } = await sql<{ deployment: string; channel: string }>`
      update lakeshift_ledger.outbox
      set state = 'given-up', ended_at = clock_timestamp(), answer = 'no worker knows this channel'
      where state = 'waiting' and not (channel = any(${[...known]}::text[]))
        and noted_at < clock_timestamp() - ${ms(afterMs)} and next_at < clock_timestamp() - interval '1 day'
      returning deployment, channel`.execute(ledger);
    return rows;
  },
  async forget(afterMs) {
    await sql`
      delete from lakeshift_ledger.outbox
      where state <> 'waiting' and ended_at < clock_timestamp() - ${ms(afterMs)}`.execute(ledger);
  },
  async countWaiting() {
    const { rows } = await sql<{ channel: string; count: number }>`
      select channel, count(*)::int as count from lakeshift_ledger.outbox
      where state = 'waiting' group by channel`.execute(ledger);
    return new Map(rows.map(({ channel, count }) => [channel, count]));
  },
});

async function claim(
  ledger: Ledger,
  channel: string,
  most: number,
  leaseMs: number,
): Promise<readonly ClaimedMessage[]> {
  const { rows } = await sql<ClaimedMessage>`
    update lakeshift_ledger.outbox o set tries = tries + 1, next_at = clock_timestamp() + ${ms(leaseMs)}
    from (
      select deployment, seq, channel from lakeshift_ledger.outbox w
      where channel = ${channel} and state = 'waiting' and next_at <= clock_timestamp() and not exists (
        select from lakeshift_ledger.outbox b
        where b.deployment = w.deployment and b.channel = w.channel and b.seq < w.seq
          and b.state = 'waiting' and not b.refused
      )
      order by next_at, deployment, seq limit ${most} for update skip locked
    ) due
    where o.deployment = due.deployment and o.seq = due.seq and o.channel = due.channel
    returning o.deployment, o.seq, o.message, o.tries,
      (extract(epoch from clock_timestamp() - o.noted_at) * 1000)::float8 as "ageMs"`.execute(ledger);
  return rows;
}

/** Only whoever made the last try may say how it went. */
async function ended(
  ledger: Ledger,
  channel: string,
  { deployment, seq, tries }: Key,
  state: 'sent' | 'given-up',
  answer: string,
): Promise<void> {
  await sql`
    update lakeshift_ledger.outbox set state = ${state}, ended_at = clock_timestamp(), answer = ${answer}
    where deployment = ${deployment} and seq = ${seq} and channel = ${channel} and tries = ${tries}
      and state = 'waiting'`.execute(ledger);
}
