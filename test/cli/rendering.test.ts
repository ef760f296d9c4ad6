import { describe, expect, it } from '@jest/globals';
import { renderDiagnosis } from '../../cli/render/diagnosis.ts';
import { bar, bytes, duration, percent, some } from '../../cli/render/format.ts';
import { renderList, renderTargets } from '../../cli/render/list.ts';
import { renderPlan } from '../../cli/render/plan.ts';
import { renderPlanSql } from '../../cli/render/plan-sql.ts';
import { renderProblem } from '../../cli/render/problem.ts';
import { renderReport } from '../../cli/render/report.ts';
import { needLines, renderStatus, stageLines, wayBackText } from '../../cli/render/status.ts';
import { coloured, plain } from '../../cli/render/style.ts';
import { columns, cut, table, wrap } from '../../cli/render/text.ts';
import { aPlan, aProgress, aReport, aStage, aStatus, aWaiting, anEnd, now } from './support/fixtures.ts';

describe('formats for people', () => {
  it.each([
    [0, '0 ms'],
    [9.4, '9 ms'],
    [999, '999 ms'],
    [1_000, '1 s'],
    [4_250, '4.3 s'],
    [12_000, '12 s'],
    [60_000, '1 min'],
    [250_000, '4 min 10 s'],
    [7_500_000, '2 h 5 min'],
    [86_400_000, '24 h'],
    [7 * 86_400_000, '7 days'],
    [7 * 86_400_000 - 3_600_000, '6 days 23 h'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_536, '1.5 kB'],
    [148_897_792, '142 MB'],
    [3 * 1024 ** 4, '3 TB'],
  ])('writes %d bytes as %s', (value, text) => {
    expect(bytes(value)).toBe(text);
  });

  it.each([
    [null, 10, null],
    [5, null, null],
    [0, 0, null],
    [0, 10, 0],
    [999_999, 1_000_000, 99],
    [10, 10, 100],
    [11, 10, 100],
  ])('says how much %p of %p is: %p percent, and 100 only when it is all', (done, all, share) => {
    expect(percent(done, all)).toBe(share);
  });

  it.each([
    [0, 'no views'],
    [1, '1 view'],
    [1_200, '1,200 views'],
  ])('counts %d as %s', (value, text) => {
    expect(some(value, 'view')).toBe(text);
  });

  it('draws bars of one width whatever the share', () => {
    expect([-3, 0, 50, 100, 130].map((share) => bar(share, 4))).toEqual(['░░░░', '░░░░', '██░░', '████', '████']);
  });
});

describe('lines of text', () => {
  it('count a raised hand as two columns and an escape as none', () => {
    expect([columns('✋ ok'), columns(coloured.good('ok')), columns('✓ …')]).toEqual([5, 2, 3]);
  });

  it('are cut with an ellipsis', () => {
    expect([cut('abcdef', 6), cut('abcdef', 4)]).toEqual(['abcdef', 'abc…']);
  });

  it('are broken at blanks and indented', () => {
    expect(wrap('one two three four', 4, 9)).toBe('one two\n    three\n    four');
  });

  it('stand in columns', () => {
    expect(
      table([
        ['a', 'long', 'x'],
        ['bcd', 'e', 'y'],
      ]),
    ).toEqual(['a    long  x', 'bcd  e     y']);
  });
});

describe('a plan', () => {
  it('is shown stage by stage, with approvers, undo, point of no return and risk', () => {
    expect(renderPlan(aPlan(), plain)).toMatchInlineSnapshot(`
     "payments-cents · expand-contract on shop · plan 7c1e0f55…
       preflight               1,000,000 rows, 142 MB · key id · 2 indexes, 1 view, no triggers
       expand        ~10 ms    ADD COLUMN amount_cents bigint; two-way trigger · undo: drop both
       backfill      ~12 s     in place, striped (pages 3 % free) · undo: nothing to take back
       verify        ~1 s      every row
       cutover    ✋ 2 × dba   readers see amount_cents; amount stays true · not by who started it · ~5 ms · undo: one
                               transaction, no row lost
       grace         7 days    both shapes stay true
       contract   ✋ approver  DROP COLUMN amount  ◀ point of no return
     risk: medium (the old column is dropped) · unsafe change made safe (amount → amount_cents bigint: a type conversion
           rewrites the table) · nothing blocks it"
    `);
  });

  it('says how many findings block it, and each with its rows and keys', () => {
    const findings = [
      { code: 'LOCKS', level: 'noted', detail: 'no long transactions' },
      { code: 'UP_FAILS', level: 'refused', detail: 'up fails', count: 3, keys: ['7', '19', '23'] },
      { code: 'ROOM', level: 'unknown', detail: 'disk room can not be seen' },
    ] as const;
    const text = renderPlan(aPlan({ findings }), plain);

    expect(text).toContain('1 finding blocks it');
    expect(text.split('\n').slice(-3)).toEqual([
      '  refused  up fails (3 rows), keys 7, 19, 23',
      '  unknown  disk room can not be seen',
      '  noted    no long transactions',
    ]);
  });

  it('says so when rows and size were never measured, instead of 0', () => {
    const plan = aPlan();
    expect(renderPlan({ ...plan, facts: { ...plan.facts, rows: null, bytes: null, key: [] } }, plain)).toContain(
      'rows not counted · no key',
    );
  });

  it('prints every statement as SQL, each closed by one semicolon and headed by its note', () => {
    const sql = renderPlanSql(aPlan());

    for (const stage of aPlan().stages) expect(sql).toContain(`-- ── ${stage.name} ──`);
    for (const statement of statementsIn(aPlan().stages)) {
      expect(sql).toContain(`${statement.sql.replace(/;$/, '')};`);
      expect(sql).toContain(`${statement.id}: ${statement.note}`);
    }
    expect(sql).not.toMatch(/;;/);
  });

  it('keeps a note of several lines inside its comment', () => {
    const [preflight, ...rest] = aPlan().stages;
    if (preflight?.kind !== 'preflight') throw new Error('the first stage is the preflight');
    const looks = [{ id: 'x', sql: 'select 1', note: 'one\ndrop table payments' }];

    expect(renderPlanSql(aPlan({ stages: [{ ...preflight, looks }, ...rest] }))).not.toMatch(/^drop table/m);
  });
});

describe('a status', () => {
  const live = {
    id: 'payments-cents-1a2b3c4d',
    stage: 'backfill',
    rows: 641_208,
    totalRows: 1_000_000,
    rate: 81_300,
    secondsToGo: 4,
    pace: 'full speed',
    at: now,
  };

  it('shows a backfill with rows, rate, time to go, pace and the way back', () => {
    expect(stageLines({ status: aStatus(), live, now }, plain).slice(1, 4).join('\n')).toMatchInlineSnapshot(`
     "  ✓ expand     11 ms
       ▸ backfill   64 %       ██████░░░░ 641,208 rows · 81,300/s · 4 s to go · full speed · going back: lossless
       · verify"
    `);
  });

  it('leaves out what was not measured', () => {
    const lines = stageLines({ status: aStatus(), live: { ...live, rate: null, secondsToGo: null }, now }, plain);
    expect(lines[2]).toContain('641,208 rows · full speed · going back: lossless');
  });

  it('ignores live progress of another stage', () => {
    expect(stageLines({ status: aStatus(), live: { ...live, stage: 'verify' }, now }, plain)[2]).not.toContain('rows');
  });

  it('counts the grace down', () => {
    const status = aStatus({
      phase: 'in-grace',
      stage: 'grace',
      progress: aProgress(5, { deadline: now + 6 * 86_400_000 }),
    });
    expect(stageLines({ status, live: null, now }, plain)[5]).toBe(
      '  ▸ grace      6 days     to go · going back: lossless',
    );
  });

  it('does not take the longest time of a batch of pods for what is left of it', () => {
    const progress = aProgress(5, { deadline: now + 600_000 });
    const status = aStatus({ phase: 'rolling', stage: 'grace', progress });
    expect(stageLines({ status, live: null, now }, plain)[5]).not.toMatch(/to go|10 min/);
  });

  it('shows no bar of a check that is over while it waits for a person', () => {
    const status = aWaiting();
    const line = stageLines({ status, live: { ...live, stage: 'cutover' }, now }, plain)[4];
    expect(line).toBe(' ✋ cutover    4 s        going back: lossless');
  });

  it('shows stages on their way back', () => {
    const progress = aProgress(2, {
      direction: 'back',
      because: 'ordered by ada',
      stages: [aStage('expand', 'undone'), aStage('backfill', 'undoing')],
    });
    const status = aStatus({ phase: 'rolling-back', progress });
    expect(stageLines({ status, live: null, now }, plain)).toEqual(['  ↩ expand    11 ms', '  ◂ backfill  4 s']);
    expect(needLines(status, plain)).toEqual(['  going back: ordered by ada']);
  });

  it('names the approval it waits for and the command that gives it', () => {
    const text = renderStatus({ status: aWaiting(), live: null, now }, '', plain);
    expect(text).toContain(' ✋ cutover');
    expect(text).toContain('waiting for approval of cutover: two of dba, not ada');
    expect(text).toContain('lakeshift approve payments-cents-1a2b3c4d --stage cutover --reason …');
  });

  it('shows the evidence of the stage that waits for an approval, not what the preflight found', () => {
    const status = aWaiting();
    const evidence = {
      stage: 'contract',
      hash: 'e5'.repeat(32),
      findings: [{ code: 'STILL_READ', level: 'warned' as const, detail: '3 kinds of statement name the old column' }],
      gatheredAt: now,
    };
    const findings = [{ code: 'CONVERSION_HOLDS', level: 'noted' as const, detail: 'all rows convert' }];
    const shown = { ...status, progress: { ...status.progress, evidence, findings } };
    const text = renderStatus({ status: shown, live: null, now }, '', plain);
    expect(text).toContain('3 kinds of statement name the old column');
    expect(text).not.toContain('all rows convert');
  });

  it('says why it is parked and what is possible', () => {
    const parked = { code: 'VERIFY_DIFFERS', detail: '3 rows differ' } as const;
    const status = aStatus({
      phase: 'needs-attention',
      possible: ['retry', 'rollback'],
      progress: aProgress(3, { parked }),
    });
    expect(needLines(status, plain)).toEqual([
      '  needs attention: VERIFY_DIFFERS 3 rows differ · possible: retry, rollback',
    ]);
  });

  it.each([
    [{ verdict: 'lossless', rows: 0 }, 'going back: lossless'],
    [{ verdict: 'losing', rows: 1 }, 'going back: loses 1 row'],
    [{ verdict: 'losing', rows: 1_200 }, 'going back: loses 1,200 rows'],
    [{ verdict: 'losing', rows: null }, 'going back: loses rows, not counted'],
    [{ verdict: 'no', rows: null }, 'going back: no longer'],
  ] as const)('says of %j: %s', (wayBack, text) => {
    expect(wayBackText({ because: 'x', since: 0, lookedAt: 0, ...wayBack })).toBe(text);
  });

  it('ends with its outcome and no way back', () => {
    const text = renderStatus({ status: anEnd('rolled-back', 'ordered by ada'), live: null, now }, '', plain);
    expect(text).toContain('rolled-back: ordered by ada');
    expect(text).not.toContain('lossless');
  });
});

describe('a report', () => {
  it('says what happened, what the application felt, and who decided what', () => {
    expect(renderReport(aReport(), plain)).toMatchInlineSnapshot(`
     "payments-cents-1a2b3c4d · deployed · expand-contract on shop · plan 7c1e0f55…
       every stage is done · 2026-07-31 12:00:00 UTC

       expand    done  11 ms                  longest lock 9 ms
       backfill  done  12 s   1,000,000 rows

     the application felt
       errors caused by this deployment  0
       longest lock held or waited for   9 ms

     approved
       2026-07-31 11:59:55  contract  grace  nobody reads it

     decided and seen (UTC)
       2026-07-31 11:59:40  started  started by ada
       2026-07-31 11:59:41  verdict  verify: promote: 0 of 1,000,000 rows differ"
    `);
  });

  it('tells 0 from not measured', () => {
    const text = renderReport(aReport({ application: { errorsCaused: null, longestLockMs: null } }), plain);
    expect(text).toContain('errors caused by this deployment  not measured');
    expect(text).toContain('longest lock held or waited for   not measured');
  });

  it('says what was measured while rows were rewritten, by whom, and what was not', () => {
    const felt = {
      by: 'our own probe',
      p99AloneMs: 0.42,
      p99BesideMs: 0.551,
      measuredMs: 42_000,
      longestMs: 12.3,
      lockWaits: 0,
      deadlocks: 2,
      errors: null,
    };
    const text = renderReport(aReport({ application: { errorsCaused: null, longestLockMs: 9, felt } }), plain);
    expect(text).toContain('p99 without us → beside us      0.42 ms → 0.55 ms, by our own probe over 42 s');
    expect(text).toContain('longest statement of the probe  12 ms');
    expect(text).toContain('errors of the application       not measured');
    expect(text).toContain('sessions seen waiting for us    0');
    expect(text).toContain('deadlocks in the database       2, whose they are is not known');
  });
});

describe('a list', () => {
  it('has a line for each deployment', () => {
    const one = { ...aStatus(), startedBy: 'ada' };
    expect(renderList([one], now, plain).split('\n')).toEqual([
      'deployment               phase        stage     target  started by  started',
      'payments-cents-1a2b3c4d  backfilling  backfill  shop    ada         3 min ago',
    ]);
  });

  it('says so when it is empty', () => {
    expect([renderList([], now, plain), renderTargets([], plain)]).toEqual([
      'no deployments',
      'no targets in the configuration of the service',
    ]);
  });
});

describe('a problem', () => {
  const problem = {
    type: '/problems/SPEC_INVALID',
    title: 'The spec has mistakes',
    status: 422,
    code: 'SPEC_INVALID',
    detail: 'The spec has 2 mistakes.',
    instance: 'req-12345678',
    errors: [
      { pointer: '/changes/0/up', detail: 'is missing' },
      { pointer: '/tabel', detail: 'is not a field of a spec here', didYouMean: 'table' },
    ],
  } as const;

  it('shows every pointer, and the nearest name', () => {
    expect(renderProblem(problem, plain).split('\n')).toEqual([
      'SPEC_INVALID The spec has 2 mistakes.',
      '  /changes/0/up  is missing',
      '  /tabel         is not a field of a spec here Did you mean table?',
      '  request req-12345678',
    ]);
  });

  it('shows the holder and what would be possible', () => {
    const text = renderProblem({ ...problem, errors: [], holder: 'other-1', possible: ['resume', 'abort'] }, plain);
    expect(text).toContain('held by other-1');
    expect(text).toContain('possible now: resume, abort');
  });
});

describe('everything that is rendered', () => {
  const long = 'a very long sentence that goes on '.repeat(10);
  const wordy = aStatus({
    progress: aProgress(2, {
      parked: { code: 'SQL_FAILED', detail: long },
      stages: [
        aStage('expand', 'done', { note: long }),
        aStage('backfill', 'running', { rows: 1, totalRows: 2, note: long }),
      ],
      findings: [{ code: 'X', level: 'warned', detail: long }],
      wayBack: { verdict: 'losing', rows: 3, because: long, since: now, lookedAt: now },
    }),
  });
  const texts = (style: typeof plain): string[] => [
    renderPlan(aPlan({ risk: { level: 'high', because: [long], pointOfNoReturn: 'contract' } }), style),
    renderStatus({ status: wordy, live: null, now }, '', style),
    renderReport(aReport({ outcome: { phase: 'deployed', because: long, at: now } }), style),
    renderList([{ ...aStatus(), id: long, startedBy: 'ada' }], now, style),
    renderDiagnosis([{ name: 'API', state: 'bad', detail: long, lines: [] }], style),
    renderProblem(
      {
        type: 'x',
        title: 'x',
        status: 422,
        code: 'SPEC_INVALID',
        detail: long,
        instance: 'x',
        errors: [{ pointer: '/a', detail: long }],
      },
      style,
    ),
  ];

  it('is at most 120 columns wide, with and without colour', () => {
    for (const text of [...texts(plain), ...texts(coloured)]) {
      for (const line of text.split('\n')) expect(columns(line)).toBeLessThanOrEqual(120);
    }
  });

  it('has no escape without colour', () => {
    for (const text of texts(plain)) expect(text).not.toContain('\u001b');
    expect(texts(coloured).every((text) => text.includes('\u001b'))).toBe(true);
  });
});

/** Every object that looks like a statement, wherever it stands: nothing may be left out of the SQL. */
function statementsIn(value: unknown): { id: string; sql: string; note: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('sql' in value && 'id' in value && 'note' in value) return [value as { id: string; sql: string; note: string }];
  return Object.values(value).flatMap(statementsIn);
}
