import { heartbeat } from '@temporalio/activity';

/** Heartbeats once a second while the work runs, so that a statement that takes long is not taken for a dead worker. */
export async function beating<T>(work: () => Promise<T>): Promise<T> {
  const beat = setInterval(() => {
    heartbeat();
  }, 1_000);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
