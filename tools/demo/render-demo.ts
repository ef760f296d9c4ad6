import type { DeploymentView, Report } from '../../contracts/api.ts';
import { count, duration } from '../../cli/render/format.ts';
import { renderReport } from '../../cli/render/report.ts';
import { needLines, stageLines } from '../../cli/render/status.ts';
import type { Style } from '../../cli/render/style.ts';
import { table } from '../../cli/render/text.ts';
import type { Figures } from './latencies.ts';
import type { Period } from './traffic.ts';

/** What the application measured in both periods. */
export type Felt = Readonly<Record<Period, Figures>>;

/** How the demo ended. */
export interface DemoResult {
  readonly report: Report;
  readonly felt: Felt;
  /** Rows in which the table and what the application wrote differ. */
  readonly differences: number;
}

/** The entries of the screen while the deployment goes on. `now` in epoch ms. */
export function renderDemo({ status, live }: DeploymentView, felt: Felt, now: number, style: Style): string[] {
  return [...stageLines({ status, live, now }, style), ...needLines(status, style), applicationLine(felt, style)];
}

/** `application  12,345 requests · 0 errors · p99 8 ms (before 7 ms) · longest 41 ms`. */
export function applicationLine({ before, during }: Felt, style: Style): string {
  const errors = before.errors + during.errors;
  return [
    `  application  ${count(before.requests + during.requests)} requests`,
    (errors === 0 ? style.good : style.bad)(`${count(errors)} errors${codes([before, during])}`),
    `p99 ${ms(during.p99)} (before ${ms(before.p99)})`,
    `longest ${ms(during.longest)}`,
  ].join(' · ');
}

/** What the demo says at its end: the report, what the application felt, and whether every row is right. */
export function renderResult({ report, felt, differences }: DemoResult, style: Style): string {
  const { before, during } = felt;
  const row = (name: string, show: (figures: Figures) => string): string[] => [name, show(before), show(during)];
  const measured = table([
    ['  the application measured', 'before', 'during'],
    row('  requests', ({ requests }) => count(requests)),
    row('  errors', (figures) => `${count(figures.errors)}${codes([figures])}`),
    row('  wrong reads', ({ wrongReads }) => count(wrongReads)),
    row('  p50', ({ p50 }) => ms(p50)),
    row('  p99', ({ p99 }) => ms(p99)),
    row('  longest stall', ({ longest }) => ms(longest)),
  ]);
  const twin = (differences === 0 ? style.good : style.bad)(
    differences === 1 ? '1 row differs' : `${count(differences)} rows differ`,
  );
  return [
    '',
    renderReport(report, style),
    '',
    ...measured,
    '',
    `  checked against the twin table that the application wrote in the same transactions: ${twin}`,
  ].join('\n');
}

/** Whether all that the demo promises has come true. */
export const isGood = ({ report, felt: { before, during }, differences }: DemoResult): boolean =>
  report.outcome?.phase === 'deployed' &&
  before.errors + during.errors === 0 &&
  before.wrongReads + during.wrongReads === 0 &&
  differences === 0;

const ms = (value: number | null): string => (value === null ? 'not measured' : duration(value));

function codes(periods: readonly Figures[]): string {
  const all = periods.flatMap(({ errorCodes }) =>
    Object.entries(errorCodes).map(([code, many]) => `${code} × ${many}`),
  );
  return all.length === 0 ? '' : ` (${all.join(', ')})`;
}
