import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { TemporalConnection } from '../config/index.ts';

/** How long to wait before the next try, ms. */
const pause = 1_000;

/** Connects to Temporal; one that does not answer yet is waited for, and one line says so. Null: given up on `signal`. */
export async function connectTemporal(
  { connectionOptions }: TemporalConnection,
  log: Logger,
  signal: AbortSignal,
): Promise<NativeConnection | null> {
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      return await NativeConnection.connect(connectionOptions);
    } catch {
      // The reason is the driver's and repeats the address; what helps is to know that it is waited for.
      if (tries === 0) log.warn({ address: connectionOptions.address }, 'Temporal does not answer yet; waiting for it');
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }
  return null;
}
