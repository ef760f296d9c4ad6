import type { PostgresBinaries } from '../tools/postgres/binaries.ts';

/** One measured ratio against its goal, over several interleaved rounds. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  /** One value a round. */
  readonly rounds: readonly number[];
  readonly goal: { readonly atLeast?: number; readonly atMost?: number } | null;
}

/** What one benchmark measured. */
export interface BenchResult {
  readonly name: string;
  readonly figures: readonly Figure[];
  /** How it was measured, in a line or two: sizes, settings, what is divided by what. */
  readonly how: string;
}

/** A benchmark; `say` shows what it is doing. */
export type Bench = (options: BenchOptions) => Promise<BenchResult>;

export interface BenchOptions {
  readonly rows: number;
  readonly rounds: number;
  /** How many deployments wait at once, where that is measured. */
  readonly deployments: number;
  /** Another PostgreSQL than the one that npm brings; null: that one. */
  readonly binaries: PostgresBinaries | null;
  readonly say: (line: string) => void;
}

/** The middle value; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (upper + lower) / 2;
}

/** The value below which the share `p` of the values lies, by the nearest rank. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? Number.NaN;
}

/** Whether the median meets the goal; null: there is none. */
export function meets({ rounds, goal }: Figure): boolean | null {
  if (goal === null) return null;
  const value = median(rounds);
  return value >= (goal.atLeast ?? Number.NEGATIVE_INFINITY) && value <= (goal.atMost ?? Number.POSITIVE_INFINITY);
}

/** A plain table: figure, median, spread, goal. */
export function renderResult({ name, how, figures }: BenchResult): string {
  const lines = figures.map((figure) => {
    const { what, unit, rounds, goal } = figure;
    const spread = `${Math.min(...rounds).toPrecision(3)} … ${Math.max(...rounds).toPrecision(3)}`;
    const bound = goal === null ? '' : goal.atLeast === undefined ? `≤ ${goal.atMost ?? ''}` : `≥ ${goal.atLeast}`;
    const verdict = { true: 'met', false: 'MISSED', null: '' }[String(meets(figure)) as 'true' | 'false' | 'null'];
    return `  ${what.padEnd(58)} ${median(rounds).toPrecision(3).padStart(8)} ${unit.padEnd(4)} ${spread.padStart(18)}  ${bound.padEnd(7)} ${verdict}`;
  });
  return [`${name}: ${how}`, ...lines].join('\n');
}
