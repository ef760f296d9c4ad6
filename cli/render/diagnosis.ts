import type { Finding } from '../diagnose.ts';
import type { Style } from './style.ts';
import { padEnd, wrap } from './text.ts';

/** What the doctor saw, a line each; commands stay whole, so that they can be copied. */
export function renderDiagnosis(findings: readonly Finding[], style: Style): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const marks = { ok: style.good('✓'), bad: style.bad('✗'), skipped: style.dim('–') } as const;
  return findings
    .flatMap(({ name, state, detail, lines }) => [
      wrap(`${marks[state]} ${padEnd(name, width)}  ${detail}`, width + 4),
      ...lines.map((line) => `    ${line}`),
    ])
    .join('\n');
}
