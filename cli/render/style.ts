/** How text is set off; without colour every function gives its text back. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
}

const same = (text: string): string => text;
const escape = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;

/** For pipes, files and `NO_COLOR`. */
export const plain: Style = { bold: same, dim: same, good: same, warn: same, bad: same };

/** For terminals. */
export const coloured: Style = {
  bold: escape(1, 22),
  dim: escape(2, 22),
  good: escape(32, 39),
  warn: escape(33, 39),
  bad: escape(31, 39),
};
