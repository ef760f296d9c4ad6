import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { codeOf, Refused } from '../failure.ts';

/**
 * Writes a file that is there as a whole or not at all, readable for its owner alone: `fill` gets a function that
 * writes. A file that was there is replaced at the end. Throws Refused when it can't be written.
 */
export async function writeWhole<T>(
  file: string,
  fill: (write: (text: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const part = `${file}.part`;
  const handle = await open(part, 'w', 0o600).catch((error: unknown) => {
    throw new Refused(`${part} can't be written (${codeOf(error) ?? 'unknown reason'})`);
  });
  try {
    const filled = await fill(async (text) => {
      await handle.writeFile(text);
    });
    await handle.sync();
    await handle.close();
    await rename(part, file);
    return filled;
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

/** The lines of a file, without their ends. Only line feeds end lines: JSON may hold other separators as they are. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, 'utf8')) {
      const lines = `${rest}${String(chunk)}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    throw new Refused(`${file} can't be read (${codeOf(error) ?? 'unknown reason'})`);
  }
  if (rest !== '') yield rest;
}
