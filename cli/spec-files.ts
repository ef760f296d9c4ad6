import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document } from 'yaml';
import { codeOf, Refused, type PlacedProblem } from './failure.ts';

/** One spec of a file, which may hold several. */
export interface FiledSpec {
  readonly file: string;
  readonly value: unknown;
  /** The line of what stands at a JSON pointer, or of the nearest thing around it; from 1. */
  readonly lineOf: (pointer: string) => number;
}

/** All specs, in order, and what could not be read of them. */
export interface SpecFiles {
  readonly specs: readonly FiledSpec[];
  readonly problems: readonly PlacedProblem[];
}

/**
 * Reads files, and of folders every YAML and JSON file in them, by name; `-` is standard input. Nothing that is wrong in
 * one keeps the others from being read. Throws Refused when there is no such file, or none in a folder.
 */
export async function readSpecFiles(paths: readonly string[]): Promise<SpecFiles> {
  const files = (await Promise.all(paths.map(filesOf))).flat();
  const read = await Promise.all([...new Set(files)].map(readOne));
  return { specs: read.flatMap(({ specs }) => specs), problems: read.flatMap(({ problems }) => problems) };
}

async function filesOf(path: string): Promise<readonly string[]> {
  if (path === '-') return [path];
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => /^[^.].*\.(ya?ml|json)$/i.test(name)).sort();
    if (names.length === 0) throw new Refused(`${path} holds no YAML or JSON file`);
    return names.map((name) => join(path, name));
  } catch (error) {
    throw error instanceof Refused ? error : unreadable(path, error);
  }
}

const unreadable = (path: string, error: unknown): Refused =>
  new Refused(`${path} can't be read (${codeOf(error) ?? 'unknown reason'})`);

async function readOne(file: string): Promise<SpecFiles> {
  const text = await readFile(file === '-' ? '/dev/stdin' : file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error);
  });
  const lines = new LineCounter();
  // JSON is YAML; and one parser, the service's own, reads both alike.
  const documents = [...parseAllDocuments(text, { lineCounter: lines })].filter((document) => !isEmpty(document));
  const read = documents.map((document) => specOf(file, document, lines));
  if (read.length === 0) return { specs: [], problems: [{ file, line: 1, pointer: '', detail: 'holds no spec' }] };
  return { specs: read.flatMap(({ specs }) => specs), problems: read.flatMap(({ problems }) => problems) };
}

const isEmpty = ({ contents, errors }: Document): boolean =>
  errors.length === 0 && (contents === null || (isScalar(contents) && contents.value === null));

function specOf(file: string, document: Document, lines: LineCounter): SpecFiles {
  const problems = document.errors.map(({ code, pos: [offset] }) => ({
    file,
    line: lines.linePos(offset).line,
    pointer: '',
    detail: `is not YAML: ${code.toLowerCase().replaceAll('_', ' ')}`,
  }));
  if (problems.length > 0) return { specs: [], problems };
  const lineOf = (pointer: string): number => lines.linePos(offsetOf(document, pointer)).line;
  try {
    return { specs: [{ file, value: document.toJS(), lineOf }], problems };
  } catch {
    return { specs: [], problems: [{ file, line: lineOf(''), pointer: '', detail: 'has too many aliases' }] };
  }
}

/** Where the key or the item of a pointer begins; of what is missing, whatever it is missing in. */
function offsetOf({ contents }: Document, pointer: string): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const found = isSeq(node) ? { at: node.items[Number(name)], value: node.items[Number(name)] } : pairOf(node, name);
    if (found === null) break;
    node = found.value;
    offset = rangeOf(found.at) ?? offset;
  }
  return offset;
}

function pairOf(node: unknown, name: string): { readonly at: unknown; readonly value: unknown } | null {
  if (!isMap(node)) return null;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === name);
  return pair === undefined ? null : { at: pair.key, value: pair.value };
}

const rangeOf = (node: unknown): number | undefined =>
  typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
    ? Number(node.range[0])
    : undefined;
