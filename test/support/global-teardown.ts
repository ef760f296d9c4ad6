import { rm } from 'node:fs/promises';

/** What the set-up started, for the tear-down to stop. Both run in Jest's own process. */
export const leftBehind: { folder: string | null; readonly servers: { readonly stop: () => Promise<void> }[] } = {
  folder: null,
  servers: [],
};

/** Stops what the set-up started and removes its files. */
export default async function tearDown(): Promise<void> {
  await Promise.all(leftBehind.servers.map((server) => server.stop()));
  if (leftBehind.folder !== null) await rm(leftBehind.folder, { recursive: true, force: true });
}
