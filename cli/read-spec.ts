import { readFile } from 'node:fs/promises';
import type { SpecText } from './client.ts';
import { codeOf, Refused } from './failure.ts';

/** Reads a spec as it is written; `-` is standard input. JSON is sent as JSON, all else as YAML. */
export async function readSpec(file: string): Promise<SpecText> {
  const text = await readText(file);
  return { type: text.trimStart().startsWith('{') ? 'application/json' : 'application/yaml', text };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file === '-' ? '/dev/stdin' : file, 'utf8');
  } catch (error) {
    throw new Refused(`${file} can't be read (${codeOf(error) ?? 'unknown reason'})`);
  }
}
