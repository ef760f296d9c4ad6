import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Counts, FromSender, Share, ToSender, Wish } from './request-messages.ts';

/** Requests that are being sent, from a process of their own. */
export interface Requests {
  /** What has come of them so far. */
  readonly counts: () => Promise<Counts>;
  /** Of the requests that were sent in [from, to), ms since the epoch, those that were answered 200. */
  readonly between: (from: number, to: number) => Promise<Share>;
  /** Sends no more, waits for what is under way and gives all counts; the process stays, to be asked, until `end`. */
  readonly stop: () => Promise<Counts>;
  /** Settles when the wanted number was sent and each has come to its end. */
  readonly done: Promise<void>;
  /** Ends the process. */
  readonly end: () => Promise<void>;
}

const script = fileURLToPath(new URL('send-requests.ts', import.meta.url));

/** Sends GETs at a steady rate until it is told to stop, or as many as wanted; retries nothing. */
export async function sendRequests(wish: Wish): Promise<Requests> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, JSON.stringify(wish)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // JSON knows no Infinity
    serialization: 'advanced',
  });
  const ended = once(child, 'exit').then(() => undefined);
  let asked = 0;
  const waiting = new Map<number, (answer: FromSender) => void>();
  let isDone = (): void => undefined;
  const done = new Promise<void>((resolve) => (isDone = resolve));
  child.on('message', (message) => {
    const said = message as FromSender; // send-requests.ts writes it
    if (said.kind === 'done') isDone();
    else waiting.get(said.id)?.(said);
  });
  const ask = async (question: ToSender): Promise<FromSender> => {
    const id = (asked += 1);
    const answered = new Promise<FromSender>((resolve) => waiting.set(id, resolve));
    child.send({ ...question, id });
    const answer = await Promise.race([answered, ended]);
    waiting.delete(id);
    if (answer === undefined) throw new Error('the process that sends requests has ended');
    return answer;
  };
  const counts = async (kind: 'counts' | 'stop'): Promise<Counts> => {
    const answer = await ask({ kind });
    if (answer.kind !== 'counts') throw new Error(`asked for counts, and got ${answer.kind}`);
    return answer.counts;
  };
  const between = async (from: number, to: number): Promise<Share> => {
    const answer = await ask({ kind: 'between', from, to });
    if (answer.kind !== 'share') throw new Error(`asked for a share, and got ${answer.kind}`);
    return answer.share;
  };
  // it has begun: nothing of what happens from now on is missed
  await counts('counts');
  return {
    counts: () => counts('counts'),
    between,
    stop: () => counts('stop'),
    done,
    end: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}
