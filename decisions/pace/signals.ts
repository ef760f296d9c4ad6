import type { Checkpoint } from './checkpoint.ts';

/** A fact about the target and when it was seen. A null value: looked for, and our role can't see it. */
export interface Signal<T> {
  readonly value: T | null;
  /** Epoch ms. */
  readonly at: number;
}

/** How far standbys are behind. */
export interface Lag {
  /** Null: they have caught up. */
  readonly seconds: number | null;
  readonly bytes: number;
}

/** What is looked at each second. A signal that is not there is not asked for by this plan. */
export interface Signals {
  /** Sessions of others that are at work in the database. */
  readonly busy?: Signal<number>;
  readonly lag?: Signal<Lag>;
  /** Sessions that wait for a lock of ours. */
  readonly waiting?: Signal<number>;
  /** What a small commit of ours takes that waits for the disk, and for a synchronous standby, ms. */
  readonly commitMs?: Signal<number>;
  readonly checkpoint?: Signal<Checkpoint>;
  /** Whether the last try to archive a piece of the log failed. */
  readonly archiveFails?: Signal<boolean>;
}

/** An upper bound on the share of time that we may be at work, and why. */
export interface Brake {
  /** 0: pause. */
  readonly share: number;
  readonly reason: string;
}

/** Older than this, a signal says nothing any more, ms. */
export const staleMs = 15_000;
/** The share of time at which 50-row bursts were measured not to be felt. */
export const crawl = 0.1;
/** The share while something that matters can't be seen. */
export const cautious = 0.25;
/** How long a checkpoint in a hurry is waited for, ms: one that never ends must not stop us for good. */
const checkpointPatienceMs = 30_000;

/** What is known besides, by which a signal is judged. */
export interface Known {
  /** The application's own latency is known, and is what decides beside a spread checkpoint. */
  readonly measured: boolean;
  /** What a commit takes without our bursts, ms; null: not measured. */
  readonly commitAloneMs: number | null;
}

/** All reasons to be slow. */
export function brakesOf(signals: Signals, now: number, known: Known): readonly Brake[] {
  return [
    ...brake(signals.lag, now, 'the lag of the standbys', lagBrake),
    ...brake(signals.waiting, now, 'waiting for locks', waitingBrake),
    ...brake(signals.commitMs, now, 'the time of a commit', (ms: number) => commitBrake(ms, known)),
    ...brake(signals.archiveFails, now, 'archiving', archiveBrake),
    ...checkpointBrakes(signals, now, known.measured),
  ];
}

/** A signal's brake; an old signal is no signal. */
function brake<T>(
  signal: Signal<T> | undefined,
  now: number,
  what: string,
  judge: (value: T) => Brake | null,
): readonly Brake[] {
  if (signal === undefined) return [];
  const old = staleBrake(signal, now, what);
  if (old !== null) return [old];
  if (signal.value === null) return [{ share: cautious, reason: `our role can not see ${what}` }];
  const found = judge(signal.value);
  return found === null ? [] : [found];
}

const staleBrake = ({ at }: Signal<unknown>, now: number, what: string): Brake | null =>
  now - at > staleMs ? { share: crawl, reason: `${what} was last seen ${seconds(now - at)} ago` } : null;

function lagBrake({ seconds: behind, bytes }: Lag): Brake | null {
  const words = `a standby is ${behind === null ? '' : `${behind.toFixed(1)} s and `}${Math.round(bytes / 1e6)} MB behind`;
  if ((behind ?? 0) > 10 || bytes > 512e6) return { share: 0, reason: words };
  return (behind ?? 0) > 2 || bytes > 64e6 ? { share: crawl, reason: words } : null;
}

const waitingBrake = (count: number): Brake | null =>
  count === 0
    ? null
    : { share: crawl, reason: `${count} ${count === 1 ? 'session waits' : 'sessions wait'} for a lock of ours` };

/** Where commits are slow without us too, ours are not to blame: only what they add counts. */
function commitBrake(ms: number, { commitAloneMs }: Known): Brake | null {
  const alone = commitAloneMs ?? 0;
  if (ms <= Math.max(50, 3 * alone)) return null;
  const words = commitAloneMs === null ? '' : `, ${Math.round(alone)} ms without us`;
  const share = ms > Math.max(250, 10 * alone) ? 0 : crawl;
  return { share, reason: `a commit takes ${Math.round(ms)} ms${words}` };
}

const archiveBrake = (fails: boolean): Brake | null =>
  fails ? { share: crawl, reason: 'archiving the log fails' } : null;

/** A checkpoint hurts only whoever is there beside us. */
function checkpointBrakes({ busy, checkpoint }: Signals, now: number, measured: boolean): readonly Brake[] {
  if (busy?.value === 0 && now - busy.at <= staleMs) return [];
  return brake(checkpoint, now, 'checkpoints', (seen) => checkpointBrake(seen, now, measured));
}

function checkpointBrake({ running, hurried, since }: Checkpoint, now: number, measured: boolean): Brake | null {
  if (running === null) return { share: cautious, reason: 'it is not known yet whether a checkpoint is running' };
  if (!running) return null;
  const forMs = now - (since ?? now);
  const reason = `a checkpoint has been running for ${seconds(forMs)}`;
  if (hurried !== false) return { share: forMs < checkpointPatienceMs ? 0 : crawl, reason };
  return measured ? null : { share: cautious, reason };
}

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
