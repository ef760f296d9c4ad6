import type { ModelFacts, ModelField, ModelSignature, ModelState } from '../../contracts/model.ts';
import type { ModelSpec } from '../../contracts/model-spec.ts';
import { driftOf } from '../../decisions/models/drift.ts';
import { misfits } from '../../decisions/models/signatures.ts';
import { checkSpec } from '../../decisions/check-spec.ts';
import { modelFacts, modelPlan, modelSpec, planModel, versionFacts } from '../support/model-plans.ts';

const comparison = {
  name: 'accuracy',
  candidate: { part: 'a', whole: 'b' },
  stable: { part: 'c', whole: 'd' },
};

function field(name: string | null, type: string, required = true): ModelField {
  return { name, type, required };
}

const refused = (spec: Partial<ModelSpec>, facts: Partial<ModelFacts> = {}): readonly unknown[] => {
  const made = planModel({ ...modelSpec, ...spec }, { ...modelFacts, ...facts });
  return 'stages' in made ? [] : made;
};

describe('the plan of a model', () => {
  const { stages, changes, findings, risk, onFailure } = modelPlan('lakeshift', { seen: false });

  test('sets the alias, moves the traffic, promotes, and keeps the old version', () => {
    expect(stages.map(({ kind, name, title, undoTitle }) => [kind, name, title, undoTitle])).toEqual([
      ['alias', 'alias', 'alias canary of sales_forecast points to version 12', 'no alias canary'],
      ['shift', 'weight-5', '5 % on the candidate for 200ms', 'everything to the stable side'],
      ['shift', 'weight-100', '100 % on the candidate for 200ms', 'everything to the stable side'],
      ['alias', 'promote', 'alias champion of sales_forecast points to version 12', 'it points to version 11'],
      ['keep', 'keep', 'version 11 is kept warm for 200ms', 'nothing to take back'],
    ]);
    expect(changes[0]?.change).toBe('sales_forecast: version 11 → 12');
    expect([risk.level, risk.pointOfNoReturn, onFailure]).toEqual(['low', null, 'rollback']);
    expect(findings.map(({ code }) => code)).toEqual(['TRAFFIC_UNSEEN']);
  });

  test('has in each stage what has to stay as it is meanwhile', () => {
    const held = stages.flatMap((stage) => ('holds' in stage ? [stage.holds.aliases] : []));
    const before = [
      { alias: 'champion', version: '11' },
      { alias: 'canary', version: null },
    ];
    const during = [
      { alias: 'canary', version: '12' },
      { alias: 'champion', version: '11' },
    ];
    expect(held).toEqual([before, during, during, during]);
  });

  test('asks for the approval of the first step before the alias is set', () => {
    const { stages: asked } = modelPlan('lakeshift', {
      steps: [
        { weight: 5, approve: 'ml' },
        { weight: 100, approve: true },
      ],
    });
    expect(asked.map(({ approve }) => approve?.group)).toEqual(['ml', undefined, null, undefined, undefined]);
  });
});

test('at 100 % nothing is compared with a side that has no traffic any more', () => {
  const asked = { metrics: 'm', requests: 'r', compare: [comparison] };
  const gates = (checks: object): unknown[] =>
    modelPlan('lakeshift', { checks: { ...asked, ...checks } }).stages.flatMap((stage) =>
      stage.kind === 'shift' ? [[stage.gate?.checks.length, stage.gate?.compares?.length]] : [],
    );
  expect(gates({})).toEqual([
    [0, 1],
    [undefined, undefined],
  ]);
  expect(gates({ errors: { query: 'e', max: '1%' } })).toEqual([
    [1, 1],
    [1, undefined],
  ]);
});

describe('a model is refused', () => {
  test.each<[string, Partial<ModelSpec>, Partial<ModelFacts>, string, string]>([
    [
      'that is not there',
      {},
      { createdAt: null, nearby: ['sales_forecasts'] },
      '/model',
      'there is no model sales_forecast',
    ],
    [
      'without a version in service',
      {},
      { aliases: {} },
      '/stable/alias',
      'there is no alias champion of sales_forecast',
    ],
    [
      'whose version in service was deleted',
      {},
      { aliases: { champion: '7' } },
      '/stable/alias',
      'alias champion points to version 7, which is not there',
    ],
    [
      'whose candidate is in service',
      {},
      { aliases: { champion: '12' } },
      '/candidate/version',
      'is in service already: alias champion points to it',
    ],
    [
      'whose candidate is not there',
      {},
      { versions: [versionFacts('11')] },
      '/candidate/version',
      'there is no version 12 of sales_forecast',
    ],
    [
      'whose candidate is not ready',
      {},
      { versions: [versionFacts('12', { status: 'PENDING_REGISTRATION' }), versionFacts('11')] },
      '/candidate/version',
      'version 12 of sales_forecast is PENDING_REGISTRATION, not READY',
    ],
    [
      'whose candidate says nothing of what it takes',
      {},
      { versions: [versionFacts('12', { signature: null }), versionFacts('11')] },
      '/candidate/version',
      'version 12 of sales_forecast has no signature that can be read',
    ],
    [
      'whose traffic is not all on the stable side',
      {},
      { route: { ...modelFacts.route, state: { weight: 5, because: '5 % on the candidate' } } },
      '/route',
      'edge does not send everything to the stable side: 5 % on the candidate',
    ],
  ])('%s', (_, spec, facts, pointer, detail) => {
    expect(refused(spec, facts)).toEqual([expect.objectContaining({ pointer, detail })]);
  });

  test('with its reason when the candidate takes what nobody sends', () => {
    const signature = { inputs: [field('m', 'long')], outputs: [], params: [] };
    const detail = (why: string): unknown =>
      expect.objectContaining({ detail: `version 12 of sales_forecast does not fit where version 11 is: ${why}` });
    expect(refused({}, { versions: [versionFacts('12', { signature }), versionFacts('11')] })).toEqual([
      detail('it wants input m, which nobody sends'),
      detail('it gives no output 1'),
    ]);
  });

  test('never for want of a signature of the version in service: that is said', () => {
    const made = planModel(modelSpec, {
      ...modelFacts,
      versions: [versionFacts('12'), versionFacts('11', { signature: null })],
    });
    expect('stages' in made && made.findings.map(({ code, level }) => [code, level])).toEqual([
      ['TRAFFIC_UNSEEN', 'warned'],
      ['SIGNATURE_UNKNOWN', 'unknown'],
    ]);
  });

  test.each<[string, unknown, string]>([
    ['one alias for both', { stable: { alias: 'canary' } }, '/candidate/alias'],
    ['an alias that MLflow keeps', { candidate: { version: 12, alias: 'v12' } }, '/candidate/alias'],
    ['a version that is no number', { candidate: { version: '12', alias: 'canary' } }, '/candidate/version'],
    ['a model with a slash', { model: 'models:/sales/12' }, '/model'],
    ['a route of a cluster', { route: { via: 'gateway-api', name: 'forecast' } }, '/route/via'],
    [
      'a comparison at 100 %',
      { steps: [{ weight: 100, checks: { metrics: 'm', requests: 'r', compare: [comparison] } }] },
      '/steps/0/checks/compare',
    ],
    ['a last step below 100', { steps: [{ weight: 50 }] }, '/steps/0/weight'],
    [
      'one server for both',
      { route: { via: 'nginx', router: 'web', stable: 'a:1', candidate: 'a:1' } },
      '/route/candidate',
    ],
    [
      'two comparisons of one name',
      { checks: { metrics: 'm', requests: 'r', compare: [comparison, comparison] } },
      '/checks/compare/1/name',
    ],
  ])('in a spec with %s', (_, wishes, pointer) => {
    const checked = checkSpec({ ...modelSpec, every: '1s', ...(wishes as object) });
    expect(checked.ok ? [] : checked.problems.map((problem) => problem.pointer)).toEqual([pointer]);
  });
});

describe('signatures', () => {
  const of = (inputs: ModelField[], outputs: ModelField[] = [], params: ModelField[] = []): ModelSignature => ({
    inputs,
    outputs,
    params,
  });
  test.each<[string, ModelSignature, ModelSignature, readonly string[]]>([
    ['the same', of([field('n', 'long')]), of([field('n', 'long')]), []],
    ['a column that it no longer takes', of([field('n', 'long'), field('m', 'long')]), of([field('n', 'long')]), []],
    [
      'a column more that may be missing',
      of([field('n', 'long')]),
      of([field('n', 'long'), field('m', 'long', false)]),
      [],
    ],
    ['a wider number', of([field('n', 'integer')]), of([field('n', 'double')]), []],
    [
      'columns in another order',
      of([field('n', 'long'), field('m', 'string')]),
      of([field('m', 'string'), field('n', 'long')]),
      [],
    ],
    ['an output more', of([], [field('y', 'long')]), of([], [field('y', 'long'), field('z', 'long')]), []],
    ['a parameter more', of([]), of([], [], [field('p', 'long')]), []],
    [
      'a column more',
      of([field('n', 'long')]),
      of([field('n', 'long'), field('m', 'long')]),
      ['it wants input m, which nobody sends'],
    ],
    [
      'a narrower number',
      of([field('n', 'double')]),
      of([field('n', 'float')]),
      ['input n is double, and it wants float'],
    ],
    [
      'a column that may be missing',
      of([field('n', 'long', false)]),
      of([field('n', 'long')]),
      ['input n may be missing, and it wants it always'],
    ],
    [
      'another type without a name',
      of([field(null, 'tensor a')]),
      of([field(null, 'tensor b')]),
      ['input 1 is tensor a, and it wants tensor b'],
    ],
    [
      'another parameter',
      of([], [], [field('p', 'long')]),
      of([], [], [field('p', 'string')]),
      ['parameter p is long, and it wants string'],
    ],
    [
      'another output',
      of([], [field('y', 'long')]),
      of([], [field('y', 'double')]),
      ['output y is double, and was long'],
    ],
    [
      'an output that may be missing',
      of([], [field('y', 'long')]),
      of([], [field('y', 'long', false)]),
      ['output y may be missing, and never was'],
    ],
    ['an output less', of([], [field('y', 'long')]), of([]), ['it gives no output y']],
  ])('with %s', (_, stable, candidate, expected) => {
    expect(misfits(stable, candidate)).toEqual(expected);
  });
});

describe('what is no longer as it was planned', () => {
  const { createdAt, versions, aliases } = modelFacts;
  const holds = {
    model: 'sales',
    createdAt: createdAt ?? 0,
    aliases: [{ alias: 'champion', version: '11' }],
    versions: [versionFacts('12')],
  };
  const state: ModelState = { createdAt, versions, aliases };
  const versionNow = (over: object): ModelState => ({ ...state, versions: [versionFacts('12', over)] });
  test.each<[string | null, ModelState]>([
    [null, state],
    ['model sales is gone', { createdAt: null, versions: [], aliases: {} }],
    ['model sales is not the one that the plan was made for', { ...state, createdAt: 1 }],
    ['alias champion of sales points to version 12, and not to 11', { ...state, aliases: { champion: '12' } }],
    ['alias champion of sales is gone, and pointed to version 11', { ...state, aliases: {} }],
    ['version 12 of sales is gone', { ...state, versions: [] }],
    ['version 12 of sales is not the one that the plan was made for', versionNow({ createdAt: 1 })],
    ['version 12 of sales is FAILED_REGISTRATION, and was READY', versionNow({ status: 'FAILED_REGISTRATION' })],
    ['version 12 of sales has another signature', versionNow({ signature: null })],
  ])('%s', (said, now) => {
    expect(driftOf(holds, now)).toBe(said);
  });
});
