/** The widest line that we print, in columns. */
export const maxWidth = 120;

const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Columns that a text takes: escapes take none, a raised hand and its like take two. */
export function columns(text: string): number {
  let sum = 0;
  for (const char of text.replace(escapes, '')) sum += /\p{Emoji_Presentation}/u.test(char) ? 2 : 1;
  return sum;
}

/** The text with blanks behind it up to `width` columns. */
export const padEnd = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - columns(text)));

/** The text with blanks before it up to `width` columns. */
export const padStart = (text: string, width: number): string => ' '.repeat(Math.max(0, width - columns(text))) + text;

/** Cut to `width` columns, the last one an ellipsis. Give it text without escapes. */
export function cut(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let kept = '';
  for (const char of text) {
    if (columns(kept + char) > width - 1) break;
    kept += char;
  }
  return `${kept}…`;
}

/** Breaks a line at blanks so that none is wider than `width`; later lines begin with `indent` blanks. */
export function wrap(line: string, indent: number, width = maxWidth): string {
  if (columns(line) <= width) return line;
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/(?<=\S)(?= )/)) {
    if (current !== '' && columns(current + word) > width) {
      lines.push(current);
      current = ' '.repeat(indent) + word.trimStart();
    } else current += word;
  }
  return [...lines, current].join('\n');
}

/** Cells in columns, two blanks between them; the last column is neither padded nor cut. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, columns(cell))));
  return rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : padEnd(cell, widths[i] ?? 0))).join('  '),
  );
}
