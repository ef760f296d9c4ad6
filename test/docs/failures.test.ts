import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { failures, type FailureKind } from '../../contracts/failures.ts';
import { readPage, root, rowsOf } from './pages.ts';

const codes: readonly [string, FailureKind][] = Object.entries(failures);
const table = new Map(
  rowsOf(readPage('docs/failures.md'))
    .filter(([cell = '']) => /^\[`[A-Z_]+`\]/.test(cell))
    .map(([link = '', ...cells]) => [/`([A-Z_]+)`/.exec(link)?.[1] ?? '', { link, cells }]),
);

describe('docs/failures.md', () => {
  test('has a row for each failure code, in their order, and no other', () => {
    expect([...table.keys()]).toEqual(codes.map(([code]) => code));
  });

  test.each(codes)('tells family, status and title of %s, and links its runbook', (code, { family, status, title }) => {
    expect(table.get(code)).toEqual({
      link: `[\`${code}\`](runbooks/${code}.md)`,
      cells: [family, String(status), title],
    });
  });
});

describe('docs/runbooks', () => {
  test('has a page for each failure code and nothing else', () => {
    const pages = readdirSync(join(root, 'docs/runbooks')).sort();
    expect(pages).toEqual(codes.map(([code]) => `${code}.md`).sort());
  });

  test.each(codes)('%s fits on a screen and says what a person needs', (code, { family, status, title }) => {
    const { text } = readPage(`docs/runbooks/${code}.md`);
    expect(text.startsWith(`# ${code}\n\n${title}. Family _${family}_, HTTP ${status}.\n`)).toBe(true);
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
    const parts = ['What it means.', 'What Lakeshift has done.', 'Look at', 'Do', 'Call somebody.'];
    expect(parts.filter((part) => !text.includes(`**${part}**`))).toEqual([]);
  });
});
