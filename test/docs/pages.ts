import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A page of the documentation. */
export interface Page {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of code. */
export interface Block {
  readonly page: string;
  readonly language: string;
  readonly code: string;
}

/** Every page: those at the root, and all of docs/ and examples/. */
export function allPages(): Page[] {
  const inFolder = (folder: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path));
  const atRoot = readdirSync(root).filter((path) => path.endsWith('.md'));
  return [...atRoot, ...inFolder('docs'), ...inFolder('examples')]
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map(readPage);
}

/** One page by its path from the root. */
export const readPage = (path: string): Page => ({ path, text: readFileSync(join(root, path), 'utf8') });

/** The fenced blocks of a page. */
export const blocksOf = ({ path, text }: Page): Block[] =>
  [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)].map(([, language = '', code = '']) => ({
    page: path,
    language,
    code,
  }));

/** A page without its fenced blocks. */
export const proseOf = ({ text }: Page): string => text.replaceAll(/^ *```\w*\n[\s\S]*?^ *```$/gm, '');

/** What stands in backticks in a page's prose. */
export const inlineCode = (page: Page): string[] =>
  [...proseOf(page).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);

/** Relative links of a page: the file from the root, and the anchor if there is one. */
export function linksOf(page: Page): { readonly file: string; readonly anchor: string | null }[] {
  const prose = proseOf(page).replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor = null] = target.split('#');
      const file = path === '' ? page.path : relative('.', join(dirname(page.path), path));
      return { file, anchor };
    });
}

/** The anchors of a page, as its headings give them. */
export const anchorsOf = (page: Page): string[] =>
  [...proseOf(page).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .replaceAll(/[`*_]|\]\([^)]*\)|\[/g, '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );

/** The rows of all tables of a page, without heads and rulers, each as its cells. */
export const rowsOf = ({ text }: Page): string[][] =>
  text
    .split('\n')
    .filter((line, index, lines) => /^\s*\|/.test(line) && !isRuler(line) && !isRuler(lines[index + 1] ?? ''))
    .map((line) =>
      line
        .trim()
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );

const isRuler = (line: string): boolean => /^\s*\|[\s|:-]+\|\s*$/.test(line);
