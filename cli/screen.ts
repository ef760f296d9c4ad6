import type { Io } from './context.ts';

/**
 * Shows a block that changes: in place on a terminal; elsewhere each entry when it says something new.
 */
export class Screen {
  private readonly io: Pick<Io, 'out' | 'isTerminal'>;
  private shown: readonly string[] = [];
  /** Lines above the cursor that the next block replaces. */
  private drawn = 0;

  constructor(io: Pick<Io, 'out' | 'isTerminal'>) {
    this.io = io;
  }

  /** Entries of one or more lines each. `last`: nothing comes after it. */
  show(entries: readonly string[], last = false): void {
    if (this.io.isTerminal) this.redraw(entries.flatMap((entry) => entry.split('\n')));
    else this.append(entries, last);
    this.shown = entries;
  }

  /** What comes next is written below and stays: the block is drawn anew underneath. */
  leave(): void {
    this.drawn = 0;
  }

  private redraw(lines: readonly string[]): void {
    const up = this.drawn === 0 ? '' : `\u001b[${this.drawn}A\r\u001b[J`;
    // The terminal itself cuts what is wider than it is: a line that wrapped would be counted as one and take two.
    this.io.out(`${up}\u001b[?7l${lines.join('\n')}\u001b[?7h\n`);
    this.drawn = lines.length;
  }

  private append(entries: readonly string[], last: boolean): void {
    const before = new Set(this.shown.map(withoutTime));
    // A stage that has not begun says nothing yet.
    const fresh = entries.filter((entry) => !before.has(withoutTime(entry)) && (last || !/^\s+·/.test(entry)));
    if (fresh.length > 0) this.io.out(`${fresh.join('\n')}\n`);
  }
}

/** Elapsed and remaining times change by themselves; they are no news. */
const withoutTime = (line: string): string =>
  line.replaceAll(/\d+(\.\d+)? (ms|s|min|h|days)\b/g, '').replaceAll(/ +/g, ' ');
