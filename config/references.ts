import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf } from './errno.ts';

/** Where references are looked up. */
export interface ReferenceSource {
  readonly env: NodeJS.ProcessEnv;
  /** Folder that relative `${file:…}` paths start from. */
  readonly folder: string;
}

/** A text without its references, or what is wrong with them. */
export type Resolved =
  { readonly ok: true; readonly value: string } | { readonly ok: false; readonly details: readonly string[] };

const reference = /\$\{([^}]*)\}/g;

/** Whether a text is nothing but one reference, as a secret must be. */
export const isReference = (text: string): boolean => /^\$\{(env|file):[^}]+\}$/.test(text);

/** The text with every reference cut out: what is literally written in the file. */
export const withoutReferences = (text: string): string => text.replace(reference, '');

/**
 * Puts the values of `${env:NAME}` and `${file:path}` in their places. Inside a longer text, which can only be an
 * address, a value is percent-encoded, so that no character of a password is read as part of the address.
 */
export async function resolveReferences(text: string, source: ReferenceSource): Promise<Resolved> {
  const details: string[] = [];
  const values = new Map<string, string>();
  for (const [whole, inner = ''] of text.matchAll(reference)) {
    const found = await lookUp(inner, source);
    if (found.ok) values.set(whole, whole === text ? found.value : encodeURIComponent(found.value));
    else details.push(...found.details);
  }
  if (details.length > 0) return { ok: false, details };
  return { ok: true, value: text.replace(reference, (whole) => values.get(whole) ?? whole) };
}

async function lookUp(inner: string, { env, folder }: ReferenceSource): Promise<Resolved> {
  const colon = inner.indexOf(':');
  const kind = inner.slice(0, colon);
  const name = inner.slice(colon + 1);
  if (kind === 'env') {
    const value = env[name];
    return value === undefined || value === ''
      ? { ok: false, details: [`needs the environment variable ${name}, which is not set`] }
      : { ok: true, value };
  }
  if (kind === 'file') return readSecret(name, folder);
  return { ok: false, details: [`has a reference \${${inner}}; only \${env:NAME} and \${file:path} exist`] };
}

async function readSecret(path: string, folder: string): Promise<Resolved> {
  try {
    const value = (await readFile(resolve(folder, path), 'utf8')).trimEnd();
    return value === '' ? { ok: false, details: [`needs the file ${path}, which is empty`] } : { ok: true, value };
  } catch (error) {
    return { ok: false, details: [`needs the file ${path}, which cannot be read (${errnoOf(error)})`] };
  }
}
