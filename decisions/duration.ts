const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const short = /^(\d+(\.\d+)?(ms|[smhdw]))+$/;
const iso = /^P(?!$)(?:(\d+)W)?(?:(\d+)D)?(?:T(?!$)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** What durations look like, as the source of a regular expression. */
export const durationPattern = `${short.source}|${iso.source}`;

/** Milliseconds of `90s`, `1h30m`, `7d` or ISO-8601 `P7DT12H`; null when it is neither. */
export function parseDuration(text: string): number | null {
  return fromShort(text) ?? fromIso(text);
}

/** The shortest text that `parseDuration` reads back, for people: `7d`, `1h30m`, `450ms`. */
export function formatDuration(ms: number): string {
  if (ms <= 0) return '0s';
  let rest = Math.round(ms);
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const size = unitMs[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

function fromShort(text: string): number | null {
  if (!short.test(text)) return null;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(count) * (unitMs[unit ?? ''] ?? 0);
  }
  return total;
}

function fromIso(text: string): number | null {
  const match = iso.exec(text);
  if (match === null) return null;
  const [, weeks, days, hours, minutes, seconds] = match;
  return [
    [weeks, 'w'],
    [days, 'd'],
    [hours, 'h'],
    [minutes, 'm'],
    [seconds, 's'],
  ].reduce((sum, [count, unit]) => sum + Number(count ?? 0) * (unitMs[unit ?? ''] ?? 0), 0);
}
