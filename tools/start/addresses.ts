import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the running service is reached. */
export interface Addresses {
  /** The API's base address. */
  readonly address: string;
  /** `host:port`. */
  readonly temporal: string;
  /** Temporal's own user interface, when we started it. */
  readonly ui: string | null;
}

const fileIn = (runFolder: string): string => join(runFolder, 'api.json');

/** Writes them down for the command line. */
export async function publish(runFolder: string, addresses: Addresses): Promise<void> {
  await writeFile(fileIn(runFolder), `${JSON.stringify(addresses)}\n`);
}

/** Nothing runs any more. */
export async function unpublish(runFolder: string): Promise<void> {
  await rm(fileIn(runFolder), { force: true });
}
