import type { Gate, GateWindow } from '../../contracts/gate.ts';
import { judgeWindows } from '../../decisions/judge-windows.ts';

const gate: Gate = {
  metrics: 'shop',
  requests: 'requests',
  checks: [
    { name: 'errors', kind: 'ratio', query: 'errors', max: 0.01, unit: '%', scale: 1 },
    { name: 'p99', kind: 'value', query: 'p99', max: 300, unit: 'ms', scale: 1_000 },
  ],
  windowMs: 60_000,
  fails: 3,
  of: 5,
  atLeast: 100,
  blindForMs: 300_000,
};
type Seen = readonly [requests: number | null, errors: number | null, p99: number | null];
const good: Seen = [1_000, 0.001, 120];
const failing: Seen = [1_000, 0.05, 120];
const slow: Seen = [1_000, 0.001, 900];
const few: Seen = [99, 0.5, 900];
const empty: Seen = [0, null, null];
const blank: Seen = [null, null, null];
const windowsOf = (seen: readonly Seen[]): GateWindow[] =>
  seen.map(([requests, errors, p99], at) => ({
    from: at * 60_000,
    to: (at + 1) * 60_000,
    requests,
    values: { errors, p99 },
  }));

test.each<[string, readonly Seen[], string, string]>([
  ['nothing yet', [], 'hold', 'no window is over yet'],
  ['one good window', [good], 'hold', '1 of the last 1 windows could be judged, fewer than 3'],
  ['two good windows', [good, good], 'hold', '2 of the last 2 windows could be judged, fewer than 3'],
  ['three good windows', [good, good, good], 'promote', 'errors, p99 within bounds in the last of 3 windows'],
  [
    'a value at its bound',
    [good, good, [100, 0.01, 300]],
    'promote',
    'errors, p99 within bounds in the last of 3 windows',
  ],
  [
    'good ones long ago',
    [good, good, good, few, few, few, few, good],
    'hold',
    '1 of the last 5 windows could be judged, fewer than 3',
  ],
  ['a bad window at the end', [good, good, good, failing], 'hold', 'errors 5.00 %, above 1.00 % in the last window'],
  ['a slow window at the end', [good, good, good, slow], 'hold', 'p99 900.0 ms, above 300.0 ms in the last window'],
  [
    'a bad window that is over',
    [good, failing, good, good],
    'promote',
    'errors, p99 within bounds in the last of 4 windows',
  ],
  ['two bad ones of three', [failing, good, failing], 'hold', 'errors 5.00 %, above 1.00 % in the last window'],
  ['three bad ones', [failing, failing, failing], 'rollback', 'errors 5.00 %, above 1.00 % in 3 of the last 3 windows'],
  [
    'three bad ones among good',
    [failing, good, failing, good, failing],
    'rollback',
    'errors 5.00 %, above 1.00 % in 3 of the last 5 windows',
  ],
  [
    'three bad ones, the first too long ago',
    [failing, good, failing, good, good, failing],
    'hold',
    'errors 5.00 %, above 1.00 % in the last window',
  ],
  ['three slow ones', [slow, slow, slow], 'rollback', 'p99 900.0 ms, above 300.0 ms in 3 of the last 3 windows'],
  ['three bad ones by two checks', [failing, slow, failing], 'hold', 'errors 5.00 %, above 1.00 % in the last window'],
  [
    'three bad ones, then nothing',
    [failing, failing, failing, blank, blank],
    'rollback',
    'errors 5.00 %, above 1.00 % in 3 of the last 5 windows',
  ],
  ['too few requests, all bad', [few, few, few], 'hold', '99 requests in the last window, fewer than 100'],
  ['no requests', [good, good, good, empty], 'hold', '0 requests in the last window, fewer than 100'],
  ['half a request', [good, good, good, [0.25, null, null]], 'hold', '0.3 requests in the last window, fewer than 100'],
  ['requests that nobody counted', [good, good, good, blank], 'hold', 'requests: not measured in the last window'],
  [
    'bad values, and nobody counted',
    [
      [null, 0.5, 900],
      [null, 0.5, 900],
      [null, 0.5, 900],
    ],
    'hold',
    'requests: not measured in the last window',
  ],
  ['a check without a value', [good, good, good, [1_000, 0, null]], 'hold', 'p99: not measured in the last window'],
  [
    'another check without a value',
    [good, good, good, [1_000, null, 100]],
    'hold',
    'errors: not measured in the last window',
  ],
  [
    'a check without a value, and the other bad',
    [
      [1_000, 0.5, null],
      [1_000, 0.5, null],
      [1_000, 0.5, null],
    ],
    'rollback',
    'errors 50.00 %, above 1.00 % in 3 of the last 3 windows',
  ],
])('%s: %j is a %s', (_, seen, decision, because) => {
  expect(judgeWindows(gate, windowsOf(seen))).toEqual({ decision, because });
});

test('good windows of a source that says nothing now are a hold', () => {
  expect(judgeWindows(gate, windowsOf([good, good, good]), 'shop: no answer in time')).toEqual({
    decision: 'hold',
    because: 'shop: no answer in time',
  });
});

test('bad windows of a source that says nothing now stay bad', () => {
  expect(judgeWindows(gate, windowsOf([slow, slow, slow]), 'errors: no data').decision).toBe('rollback');
});

test('a gate without a check never promotes', () => {
  expect(judgeWindows({ ...gate, checks: [] }, windowsOf([good, good, good]))).toEqual({
    decision: 'hold',
    because: 'there is no check',
  });
});

test('one of one: the last window alone decides', () => {
  const strict = { ...gate, fails: 1, of: 1 };
  expect(judgeWindows(strict, windowsOf([failing, good])).decision).toBe('promote');
  expect(judgeWindows(strict, windowsOf([good, failing])).decision).toBe('rollback');
});

test('a window without the check is not measured', () => {
  const [window] = windowsOf([good]);
  if (window === undefined) throw new Error('there is one');
  expect(judgeWindows({ ...gate, fails: 1 }, [{ ...window, values: {} }]).because).toBe(
    'errors: not measured in the last window',
  );
});
