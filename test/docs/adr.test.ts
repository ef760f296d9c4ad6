import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readPage, root } from './pages.ts';

const files = readdirSync(join(root, 'docs/adr'))
  .filter((file) => file !== 'README.md')
  .sort();

describe('docs/adr', () => {
  test('is numbered without a gap, and its index has every title', () => {
    const index = readPage('docs/adr/README.md').text.replaceAll(/ +/g, ' ');
    files.forEach((file, at) => {
      const [, number, title] = /^# (\d+)\. (.+)\n/.exec(readPage(`docs/adr/${file}`).text) ?? [];
      expect(file.slice(0, 4)).toBe(String(at + 1).padStart(4, '0'));
      expect(number).toBe(String(at + 1));
      expect(index).toContain(`| ${at + 1} | [${title ?? ''}](${file}) |`);
    });
    expect(files.length).toBeGreaterThan(10);
  });

  test.each(files)('%s has its four parts on one screen', (file) => {
    const { text } = readPage(`docs/adr/${file}`);
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(['Context', 'Decision', 'Consequences', 'What would change our mind']);
    expect(text.split('\n').length).toBeLessThanOrEqual(40);
    expect(text.split(/\s+/).length).toBeLessThanOrEqual(450);
  });
});
