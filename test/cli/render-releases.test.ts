import { planMarkdown } from '../../api/plan-markdown.ts';
import { DeploymentViewSchema } from '../../api/schemas/deployment.ts';
import { Compile } from 'typebox/compile';
import { renderPlan } from '../../cli/render/plan.ts';
import { renderReport } from '../../cli/render/report.ts';
import { renderStatus } from '../../cli/render/status.ts';
import { coloured, plain } from '../../cli/render/style.ts';
import { columns } from '../../cli/render/text.ts';
import type { ModelSpec } from '../../contracts/model-spec.ts';
import type { Plan } from '../../contracts/plan.ts';
import type { ReleaseSpec } from '../../contracts/release-spec.ts';
import type { Breaker, Progress, Shadow, Status, Traffic } from '../../contracts/progress.ts';
import { releasePlan } from '../support/cluster-facts.ts';
import { planOfModel } from '../support/model-plans.ts';
import { blueGreenSpec, canarySpec, fullReleases, recreateSpec, shadowSpec } from '../support/release-specs.ts';
import { aProgress, aReport, aStage, aStatus, aView, now } from './support/fixtures.ts';

/** Without the breaks of lines and the padding. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('the plan of a release', () => {
  const canary = flat(renderPlan(releasePlan(canarySpec), plain));

  it('shows of each step its weight, its time, its bounds, and what a failed check leads to', () => {
    expect(canary).toContain('weight-5 ✋ approver 5 % on the candidate · seen by 400 requests · errors ≤ 0.5 %, ');
    expect(canary).toContain(
      'p99 ≤ 300 ms, accuracy ≥ stable ± 1 % (shop-prometheus; 3 of 5 windows of 1 min are a failure; without data for 5 min all goes back) · else all goes back',
    );
    expect(canary).toContain(
      'needs scores-db (tcp db.data:5432 every 10 s): home after 3 bad answers of 5, a person after 30 min',
    );
    expect(canary).toContain('needs warm-cache (runs is-warm in StatefulSet shop/checkout every 10 s)');
    expect(canary).toContain(
      'weight-25 1 h 25 % on the candidate · seen by 400 requests · no checks · needs scores-db',
    );
    expect(canary).toContain('else it stays at 50 % for a person');
    expect(canary).toContain('weight-100 ✋ owners 100 % on the candidate');
    expect(canary).toContain('undo: everything to the stable side');
  });

  it('shows what a blue-green asks, and that of a recreate which a person has to know', () => {
    const blueGreen = flat(renderPlan(releasePlan(blueGreenSpec), plain));
    expect(blueGreen).toContain('GET http://trino-green:8080/v1/info, tcp trino-green:8080, grpc trino-green:8081');
    expect(blueGreen).toContain('switch 30 min everything to trino-green');
    expect(blueGreen).toContain(
      'keep 24 h trino-blue is kept ready · seen by 400 requests · no checks · needs scores-db',
    );
    expect(flat(renderPlan(releasePlan(recreateSpec), plain))).toContain(
      'risk: high (downtime, which the spec accepts)',
    );
  });

  it.each(fullReleases.map((spec) => [spec.name, spec]))('is at most 120 columns wide: %s', (_, spec) => {
    for (const style of [plain, coloured])
      for (const line of renderPlan(planOf(spec), style).split('\n')) expect(columns(line)).toBeLessThanOrEqual(120);
  });

  it('has in Markdown a row for each stage, with its time and what a failed check leads to', () => {
    const plan = releasePlan({ ...canarySpec, steps: [{ weight: 25, for: '1h', onFail: 5 }, { weight: 100 }] });
    const text = planMarkdown(plan);
    expect(text.split('\n').filter((line) => line.startsWith('| '))).toHaveLength(plan.stages.length + 2);
    expect(text).toMatch(
      /\| weight-25 \| ✋ owners \| 1h \| 25 % on the candidate .*; else back to 5 % for a person; without data all goes back; needs scores-db, ranking, warm-cache, else everything goes home until it is back \|/,
    );
  });
});

const planOf = (spec: ReleaseSpec | ModelSpec): Plan =>
  spec.strategy === 'model-canary' ? planOfModel(spec) : releasePlan(spec);

describe('where the traffic goes', () => {
  const traffic: Traffic = {
    weight: 25,
    seen: 0.2525,
    requests: 400,
    since: now - 720_000,
    repairs: 2,
    lookedAt: now - 3_000,
  };
  const shifting = (more: Partial<Progress> = {}): Status =>
    aStatus({
      phase: 'watching',
      stage: 'weight-25',
      strategy: 'canary',
      progress: aProgress(0, {
        stages: [aStage('weight-25', 'running')],
        deadline: now + 2_880_000,
        verdict: { decision: 'hold', because: '12 requests in the last window, fewer than 100' },
        traffic,
        ...more,
      }),
    });
  const shown = (status: Status): string => flat(renderStatus({ status, live: null, now }, '', plain));

  it('is said with the share that was seen, since when, what was put right, the verdict and until when', () => {
    const text = shown(shifting());
    expect(text).toContain(
      'traffic: 25 % on the candidate · 25.25 % of 400 requests seen there · in place for 12 min · put right 2 times · looked 3 s ago',
    );
    expect(text).toContain('checks: hold: 12 requests in the last window, fewer than 100');
    expect(text).toContain('48 min to go');
  });

  it('is said with what the candidate needs: its state, since when, why, and when a person is called', () => {
    const open: Breaker = {
      name: 'scores-db',
      state: 'open',
      since: now - 120_000,
      because: 'no connection',
      answers: [false],
      waits: 3,
      lookedAt: now - 4_000,
      nextAt: now,
      until: now + 1_680_000,
    };
    const closed: Breaker = { ...open, name: 'ranking', state: 'closed', answers: [true], until: null };
    const unseen: Breaker = { ...closed, name: 'cache', because: null, answers: [], lookedAt: 0 };
    const held = shifting({ deadline: null, fallback: { since: now, forMs: 1 }, breakers: [open, closed, unseen] });
    expect(shown(held)).toContain(
      'needs scores-db: open for 2 min · no connection · looked 4 s ago · a person is called in 28 min' +
        ' needs ranking: closed for 2 min · looked 4 s ago needs cache: closed for 2 min · not looked at yet',
    );
    expect([...Compile(DeploymentViewSchema).Errors(aView(held))]).toEqual([]);
  });

  it('is not said to be seen when nobody has looked, nor to be there when somebody else has written the route', () => {
    const text = shown(shifting({ traffic: { ...traffic, weight: null, seen: null, requests: null, since: null } }));
    expect(text).toContain('traffic: somebody else has written the route · not seen in requests · put right 2 times');
  });

  it('is not spoken of where nothing has been moved, nor is a verdict of a share that is not in place', () => {
    expect(shown(aStatus())).not.toContain('traffic:');
    expect(shown(shifting({ deadline: null }))).not.toContain('checks:');
  });

  it('stands in the report', () => {
    expect(flat(renderReport(aReport({ traffic: { ...traffic, weight: 0, seen: 0, repairs: 0 } }), plain))).toContain(
      'the traffic, when last looked at: 0 % on the candidate · 0 % of 400 requests seen there',
    );
    expect(renderReport(aReport(), plain)).not.toContain('the traffic');
  });

  it('is described by the schema of a status', () => {
    const schema = Compile(DeploymentViewSchema);
    expect([...schema.Errors(aView(shifting()))]).toEqual([]);
    const wrong = shifting({ traffic: { ...traffic, repairs: 1.5 } });
    expect(schema.Check(aView(wrong))).toBe(false);
  });
});

describe('what a shadow has compared', () => {
  const side = (p50Ms: number | null, p99Ms: number | null) => ({ p50Ms, p99Ms, counts: [] });
  const shadow: Shadow = {
    compared: 2_000,
    agreed: 1_999,
    silent: 3,
    interval: { low: 0.996, high: 0.999_98, confidence: 0.99 },
    differs: [{ at: '/items/*/score', count: 1 }],
    noise: [],
    latency: { stable: side(1.19, 4.54), candidate: side(11.1, null) },
    requests: 20,
    next: 0,
    silentSince: null,
  };
  const lines = [
    'answers that agree: 1,999 of 2,000 (99.95 %) \u00b7 99.6 % to 99.99 % at 99 % confidence \u00b7 20 different requests',
    'without an answer of the stable side: 3, which tell nothing',
    'they differ in: /items/*/score 1',
    'p50 and p99, stable \u2192 candidate: 1.2 ms \u2192 11 ms, 4.5 ms \u2192 not measured',
  ];

  it('stands in the status and in the report, with its interval and the places that differ', () => {
    const status = aStatus({ progress: aProgress(0, { shadow }) });
    const shown = flat(renderStatus({ status, live: null, now }, '', plain));
    const told = flat(renderReport(aReport({ shadow }), plain));
    for (const line of lines) {
      expect(shown).toContain(line);
      expect(told).toContain(line);
    }
    expect([...Compile(DeploymentViewSchema).Errors(aView(status))]).toEqual([]);
  });

  it('is no line where nothing was compared', () => {
    expect(renderReport(aReport({ shadow: null }), plain)).not.toContain('agree');
  });

  it('is planned with its requests, with what is left out, and with what too little agreement leads to', () => {
    const plan = flat(renderPlan(releasePlan(shadowSpec), plain));
    expect(plan).toContain('500 to 8000 answers compared, 20 requests a second; 98.5% agree');
    expect(plan).toContain('2 requests');
    expect(plan).toContain('without /requestId, /items/*/servedBy');
    expect(plan).toContain('else it stays for a person');
  });
});
