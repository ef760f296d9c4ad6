import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { turningPoints } from '../../contracts/notifications.ts';
import { ConfigError, loadConfig, loadTemporalConnection, type Section } from '../../config/index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeshift-config-'));
  await writeFile(join(folder, 'key'), `${'k'.repeat(40)}\n`);
  await writeFile(join(folder, 'empty'), '\n');
});
afterAll(() => rm(folder, { recursive: true }));

const env = {
  SHOP_URL: 'postgres://app:sh0p-s3cret@db/shop',
  LEDGER_PASSWORD: 'p@ss/word:1?',
  CI_TOKEN: 'ci-token-0123456789abcdef',
  SLACK_ADDRESS: 'https://hooks.slack.example/services/T0/B0/sl4ck-s3cret',
  HOOK_SECRET: `whsec_${Buffer.from('h'.repeat(24)).toString('base64')}`,
};

const whole = `
environment: staging
homeSchema: change_home
targets:
  shop: { dialect: postgres, url: "\${env:SHOP_URL}" }
  stock: { dialect: postgres, url: "postgres://app@db/stock", taskQueue: stock }
  models: { dialect: mlflow, url: "https://mlflow.internal", token: "\${env:CI_TOKEN}" }
  scratch: { dialect: mlflow, url: "http://127.0.0.1:5000" }
metrics:
  shop-prometheus: { kind: prometheus, url: "https://prometheus.internal/", p99: "shop_p99", over: 30s, errors: "shop_errors", token: "\${env:CI_TOKEN}" }
  plain: { kind: prometheus, url: "http://prometheus:9090", p99: "shop_p99" }
notify:
  data-platform: { kind: slack, url: "\${env:SLACK_ADDRESS}", default: true }
  pager: { kind: webhook, url: "https://pager.internal/in", secret: "\${env:HOOK_SECRET}", on: [parked, ended] }
routers:
  edge: { kind: haproxy, address: "127.0.0.1:9999" }
  local: { kind: haproxy, address: /run/haproxy/admin.sock }
  files: { kind: nginx, file: /etc/nginx/servers.conf }
ledger: { url: "postgres://lakeshift:\${env:LEDGER_PASSWORD}@db:5433/ledger" }
temporal: { searchAttributes: { prefix: Ls, register: false }, ui: "https://temporal.example/" }
api:
  host: 0.0.0.0
  port: 8080
  url: https://lakeshift.example/
  rateLimit: { max: 5, per: 1s }
  tokens: [{ name: ci, role: operator, groups: [dba], token: "\${env:CI_TOKEN}" }]
approvals: { key: "\${file:key}" }
log: { level: debug }
`;
const least = 'ledger: { url: "postgres://db/ledger" }\napi: { open: true }\napprovals: { trustTemporal: true }\n';

async function load(yaml: string, variables: NodeJS.ProcessEnv = env, without: readonly Section[] = []) {
  const path = join(folder, `${crypto.randomUUID()}.yaml`);
  await writeFile(path, yaml);
  return loadConfig(path, variables, { without });
}

/** Paths and details of all problems. */
async function problemsOf(yaml: string, variables?: NodeJS.ProcessEnv, without?: readonly Section[]) {
  const error: unknown = await load(yaml, variables, without).catch((caught: unknown) => caught);
  if (!(error instanceof ConfigError)) throw new Error(`no ConfigError: ${String(error)}`);
  return { message: error.message, problems: error.problems, paths: error.problems.map(({ path }) => path) };
}

describe('a configuration', () => {
  test('is read into one object with every reference resolved', async () => {
    expect(await load(whole)).toEqual({
      environment: 'staging',
      homeSchema: 'change_home',
      targets: {
        shop: { dialect: 'postgres', url: env.SHOP_URL, taskQueue: 'lakeshift' },
        stock: { dialect: 'postgres', url: 'postgres://app@db/stock', taskQueue: 'stock' },
        models: { dialect: 'mlflow', url: 'https://mlflow.internal', token: env.CI_TOKEN, taskQueue: 'lakeshift' },
        scratch: { dialect: 'mlflow', url: 'http://127.0.0.1:5000', token: null, taskQueue: 'lakeshift' },
      },
      metrics: {
        'shop-prometheus': {
          kind: 'prometheus',
          url: 'https://prometheus.internal/',
          p99: 'shop_p99',
          overMs: 30_000,
          errors: 'shop_errors',
          token: env.CI_TOKEN,
        },
        plain: {
          kind: 'prometheus',
          url: 'http://prometheus:9090',
          p99: 'shop_p99',
          overMs: 60_000,
          errors: null,
          token: null,
        },
      },
      notify: {
        'data-platform': { kind: 'slack', url: env.SLACK_ADDRESS, secret: null, on: turningPoints, isDefault: true },
        pager: {
          kind: 'webhook',
          url: 'https://pager.internal/in',
          secret: env.HOOK_SECRET,
          on: ['parked', 'ended'],
          isDefault: false,
        },
      },
      routers: {
        edge: { kind: 'haproxy', address: '127.0.0.1:9999' },
        local: { kind: 'haproxy', address: '/run/haproxy/admin.sock' },
        files: { kind: 'nginx', file: '/etc/nginx/servers.conf', reload: ['nginx', '-s', 'reload'] },
      },
      ledger: { url: 'postgres://lakeshift:p%40ss%2Fword%3A1%3F@db:5433/ledger' },
      temporal: { searchAttributes: { prefix: 'Ls', register: false }, ui: 'https://temporal.example' },
      api: {
        host: '0.0.0.0',
        port: 8080,
        url: 'https://lakeshift.example',
        open: false,
        bodyLimit: 262_144,
        rateLimit: { max: 5, perMs: 1_000 },
        tokens: [{ name: 'ci', role: 'operator', groups: ['dba'], token: env.CI_TOKEN }],
      },
      approvals: { key: 'k'.repeat(40), trustTemporal: false },
      log: { level: 'debug' },
    });
  });

  test('has a default for everything but the ledger and the way in', async () => {
    expect(await load(least)).toMatchObject({
      environment: 'local',
      homeSchema: 'lakeshift',
      targets: {},
      temporal: { searchAttributes: { prefix: 'Lakeshift', register: true }, ui: 'http://127.0.0.1:8233' },
      api: { host: '127.0.0.1', port: 7070, open: true, rateLimit: { max: 600, perMs: 60_000 } },
      log: { level: 'info' },
    });
  });

  test('cannot be changed afterwards', async () => {
    const config = await load(whole);
    expect(() => Object.assign(config.api, { open: true })).toThrow(TypeError);
    expect(() => Object.assign(config.targets, { other: {} })).toThrow(TypeError);
  });

  test('knows no target that nobody has named', async () => {
    const { targets } = await load(whole);
    for (const name of ['constructor', 'hasOwnProperty', '__proto__']) expect(targets[name]).toBeUndefined();
  });

  test('gives way to the environment', async () => {
    const variables = {
      ...env,
      LAKESHIFT_DATABASE_URL: 'postgres://u:literal-is-fine-here@elsewhere/l',
      LAKESHIFT_API_HOST: '127.0.0.2',
      LAKESHIFT_API_PORT: '0',
      LAKESHIFT_ENVIRONMENT: 'ci',
      LAKESHIFT_LOG_LEVEL: 'warn',
      LAKESHIFT_TEMPORAL_UI: 'http://ui:8080',
    };
    expect(await load('api: { open: true }\napprovals: { trustTemporal: true }', variables)).toMatchObject({
      environment: 'ci',
      ledger: { url: variables.LAKESHIFT_DATABASE_URL },
      api: { host: '127.0.0.2', port: 0 },
      log: { level: 'warn' },
      temporal: { ui: 'http://ui:8080' },
    });
    expect((await problemsOf(least, { LAKESHIFT_API_PORT: 'http' })).paths).toEqual(['api.port']);
  });

  test('is found by LAKESHIFT_CONFIG', async () => {
    const path = join(folder, 'elsewhere.yaml');
    await writeFile(path, least);
    expect((await loadConfig(undefined, { LAKESHIFT_CONFIG: path })).environment).toBe('local');
  });
});

describe('problems of a channel', () => {
  const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;
  const channel = (fields: string) => `${least}notify: { ops: ${fields} }\n`;
  test.each<[string, string, string, RegExp]>([
    [
      'an address of Slack that is written out',
      '{ kind: slack, url: "https://x.example/s3cret" }',
      'notify.ops.url',
      /is a secret: write \$\{env:NAME\}/,
    ],
    [
      'a secret that is written out',
      '{ kind: webhook, url: "https://x.example", secret: whsec_s3cret }',
      'notify.ops.secret',
      /is a secret/,
    ],
    ['a webhook without a secret', '{ kind: webhook, url: "https://x.example" }', 'notify.ops.secret', /is missing/],
    [
      'a secret for Slack',
      '{ kind: slack, url: "${env:GOOD}", secret: "${env:KEY}" }',
      'notify.ops.secret',
      /is not a field/,
    ],
    ['an address without TLS', '{ kind: slack, url: "${env:OPEN}" }', 'notify.ops.url', /must begin with https:/],
    ['what is no address', '{ kind: slack, url: "${env:WORD}" }', 'notify.ops.url', /is not an address/],
    [
      'a user in the address',
      '{ kind: slack, url: "${env:USER}" }',
      'notify.ops.url',
      /must not hold a user or a password/,
    ],
    [
      'a secret that is too short',
      '{ kind: webhook, url: "https://x.example", secret: "${env:SHORT}" }',
      'notify.ops.secret',
      /24 to 64 bytes/,
    ],
    [
      'a secret that is too long',
      '{ kind: webhook, url: "https://x.example", secret: "${env:LONG}" }',
      'notify.ops.secret',
      /24 to 64 bytes/,
    ],
    [
      'a secret of another form',
      '{ kind: webhook, url: "https://x.example", secret: "${env:WORD}" }',
      'notify.ops.secret',
      /must be whsec_/,
    ],
    [
      'a variable that is not set',
      '{ kind: slack, url: "${env:NONE}" }',
      'notify.ops.url',
      /needs the environment variable NONE/,
    ],
    [
      'an unknown kind',
      '{ kind: slak, url: "${env:GOOD}", secret: "${env:KEY}" }',
      'notify.ops.kind',
      /must be one of slack, webhook/,
    ],
    [
      'an unknown turning point',
      '{ kind: slack, url: "${env:GOOD}", on: [end] }',
      'notify.ops.on.0',
      /must be one of started/,
    ],
  ])('%s is refused by its path, without its value', async (_, fields, path, detail) => {
    const variables = {
      GOOD: 'https://x.example/s3cret',
      OPEN: 'http://x.example/s3cret',
      USER: 'https://s3cret@x.example',
      WORD: 's3cret',
      KEY: secretOf(32),
      SHORT: secretOf(23),
      LONG: secretOf(65),
    };
    const { problems, message } = await problemsOf(channel(fields), variables);
    expect(problems).toEqual([expect.objectContaining({ path, detail: expect.stringMatching(detail) as unknown })]);
    expect(message).not.toContain('s3cret');
    for (const secret of Object.values(variables)) expect(message).not.toContain(secret);
  });

  test('none: http on this machine, and the shortest and the longest secret', async () => {
    for (const [url, bytes] of [
      ['http://127.0.0.1:9/in', 24],
      ['http://localhost/in', 64],
    ] as const) {
      const { notify } = await load(channel(`{ kind: webhook, url: "${url}", secret: "\${env:KEY}" }`), {
        KEY: secretOf(bytes),
      });
      expect(notify['ops']).toMatchObject({ url, isDefault: false });
    }
  });

  test('do not concern a process that sends nothing', async () => {
    const { notify } = await load(channel('{ kind: slack, url: "${env:NONE}" }'), {}, ['notify']);
    expect(Object.keys(notify)).toEqual(['ops']);
  });
});

describe('problems of a configuration', () => {
  test('of its form are named together, each with its path and the nearest name', async () => {
    const { problems, message } = await problemsOf(`
enviroment: staging
targets:
  shop: { dialect: postgre, url: "" }
ledger: {}
api: { port: 70000, open: "yes", tokens: [{ name: ci, role: oprator, token: x, groups: dba }] }
log: { level: loud }
`);
    expect(problems.map(({ path, didYouMean }) => [path, didYouMean])).toEqual(
      expect.arrayContaining([
        ['enviroment', 'environment'],
        ['targets.shop.dialect', 'postgres'],
        ['targets.shop.url', undefined],
        ['ledger.url', undefined],
        ['api.port', undefined],
        ['api.open', undefined],
        ['api.tokens.0.role', 'operator'],
        ['api.tokens.0.groups', undefined],
        ['log.level', undefined],
      ]),
    );
    expect(problems).toHaveLength(9);
    expect(message.split('\n')).toHaveLength(10);
    expect(message).toContain('enviroment is not a field of the configuration here (did you mean environment?)');
  });

  test('of its secrets are named together, and none of the secrets is', async () => {
    const { problems, message } = await problemsOf(`
targets:
  literal: { dialect: postgres, url: "postgres://app:hunter2hunter2@db/shop" }
  query: { dialect: postgres, url: "postgres://app@db/shop?password=hunter2hunter2" }
  halves: { dialect: postgres, url: "postgres://app:hunter2\${env:CI_TOKEN}@db/shop" }
  unset: { dialect: postgres, url: "\${env:NOT_THERE}" }
  vault: { dialect: postgres, url: "\${vault:secret/shop}" }
ledger: { url: "\${file:not-there}" }
api: { tokens: [{ name: ci, role: operator, token: hunter2hunter2hunter2 }] }
approvals: { key: "\${file:empty}" }
`);
    expect(Object.fromEntries(problems.map(({ path, detail }) => [path, detail]))).toEqual({
      'targets.literal.url': expect.stringContaining('holds a password') as string,
      'targets.query.url': expect.stringContaining('holds a password') as string,
      'targets.halves.url': expect.stringContaining('holds a password') as string,
      'targets.unset.url': 'needs the environment variable NOT_THERE, which is not set',
      'targets.vault.url': expect.stringContaining('only ${env:NAME} and ${file:path} exist') as string,
      'ledger.url': expect.stringContaining('ENOENT') as string,
      'api.tokens.0.token': expect.stringContaining('is a secret') as string,
      'approvals.key': expect.stringContaining('is empty') as string,
    });
    expect(message).not.toContain('hunter2');
  });

  test.each([
    ['no way in', 'ledger: { url: postgres://db/l }\napprovals: { trustTemporal: true }', ['api.tokens']],
    ['open to the network', least.replace('open: true', 'open: true, host: 0.0.0.0'), ['api.host']],
    ['open by a name', least.replace('open: true', 'open: true, host: my-host'), ['api.host']],
    [
      'open with tokens',
      least.replace('open: true', 'open: true, tokens: [{ name: a, role: viewer, token: "${env:CI_TOKEN}" }]'),
      ['api.open'],
    ],
    ['no key for approvals', 'ledger: { url: postgres://db/l }\napi: { open: true }', ['approvals.key']],
    ['another kind of database', least.replace('postgres://db', 'mysql://db'), ['ledger.url']],
    ['an address that is none', least.replace('postgres://db/ledger', 'postgres://[db/ledger'), ['ledger.url']],
    [
      'tokens that are the same',
      least.replace(
        'open: true',
        'tokens: [{ name: a, role: viewer, token: "${env:CI_TOKEN}" }, { name: a, role: viewer, token: "${env:CI_TOKEN}" }]',
      ),
      ['api.tokens.1.name', 'api.tokens.1.token'],
    ],
    [
      'metrics that are none',
      `${least}metrics: { a: { kind: promtheus, url: "prometheus:9090", p99: "" }, b: { kind: prometheus, url: "http://p", p99: x, over: soon } }`,
      ['metrics.a.kind', 'metrics.a.url', 'metrics.a.p99', 'metrics.b.over'],
    ],
    [
      'routers that are none',
      `${least}routers: { a: { kind: traefik, address: "h:1" }, b: { kind: haproxy, address: "http://h" }, c: { kind: nginx, file: "" } }`,
      ['routers.a.kind', 'routers.b.address', 'routers.c.file'],
    ],
    [
      'a token of a registry that stands there',
      `${least}targets: { a: { dialect: mlflow, url: "https://u:s3cret@mlflow", token: literal } }`,
      ['targets.a.url', 'targets.a.token'],
    ],
    [
      'a token of a registry that anybody could read on its way',
      `${least}targets: { a: { dialect: mlflow, url: "http://mlflow:5000", token: "\${env:CI_TOKEN}" } }`,
      ['targets.a.url'],
    ],
    [
      'a registry with what a cluster has',
      `${least}targets: { a: { dialect: mlflow, url: "http://mlflow:5000", kubeconfig: /k } }`,
      ['targets.a.kubeconfig'],
    ],
    ['a registry without an address', `${least}targets: { a: { dialect: mlflow } }`, ['targets.a.url']],
    [
      'a token of metrics that stands there',
      `${least}metrics: { a: { kind: prometheus, url: "https://u:s3cret@p", p99: x, token: literal } }`,
      ['metrics.a.url', 'metrics.a.token'],
    ],
    [
      'a token of metrics that anybody could read on its way',
      `${least}metrics: { a: { kind: prometheus, url: "http://prometheus:9090", p99: x, token: "\${env:CI_TOKEN}" } }`,
      ['metrics.a.url'],
    ],
    [
      'a query that looks back too far',
      `${least}metrics: { a: { kind: prometheus, url: "http://p", p99: x, over: 1h } }`,
      ['metrics.a.over'],
    ],
    ['a list for a map', least.replace('ledger:', 'targets: []\nledger:'), ['targets']],
    ['nothing at all', '', ['ledger']],
  ])('%s', async (_, yaml, paths) => {
    expect((await problemsOf(yaml)).paths).toEqual(paths);
  });

  test.each([['short', 'api.tokens.0.token'] as const])('a token that is too %s', async (_, path) => {
    const yaml = least.replace('open: true', 'tokens: [{ name: a, role: viewer, token: "${env:SHORT}" }]');
    expect((await problemsOf(yaml, { SHORT: 'only-15-letters' })).paths).toEqual([path]);
  });

  test('a file that is not there, or that is not YAML, is one problem without a word of its content', async () => {
    await expect(loadConfig(join(folder, 'none.yaml'), {})).rejects.toThrow(/cannot be read \(ENOENT\)/);
    const { problems, message } = await problemsOf('ledger: { url: "s3cret\n  x: [');
    expect(problems[0]?.detail).toMatch(/is not YAML: .* in line \d+/);
    expect(message).not.toContain('s3cret');
  });

  test('of a section that the process has no need for are not its problems', async () => {
    const yaml = `${least}targets: { shop: { dialect: postgres, url: "\${env:NOT_THERE}" } }\n`;
    expect((await problemsOf(yaml)).paths).toEqual(['targets.shop.url']);
    expect((await load(yaml, {}, ['targets'])).targets['shop']).toMatchObject({ url: '${env:NOT_THERE}' });
    const worker = 'ledger: { url: postgres://db/l }\napprovals: { trustTemporal: true }\n';
    expect((await load(worker, {}, ['api'])).api.tokens).toEqual([]);
  });
});

describe('the connection to Temporal', () => {
  test('comes from the variables that the Temporal CLI reads', () => {
    const found = loadTemporalConnection({
      TEMPORAL_ADDRESS: 'cloud.example:7233',
      TEMPORAL_NAMESPACE: 'shop.a1b2',
      TEMPORAL_API_KEY: 'key',
      HOME: folder,
    });
    expect(found.namespace).toBe('shop.a1b2');
    expect(found.connectionOptions).toMatchObject({ address: 'cloud.example:7233', apiKey: 'key', tls: true });
  });

  test('is this machine otherwise', () => {
    expect(loadTemporalConnection({ HOME: folder })).toEqual({
      namespace: 'default',
      connectionOptions: expect.objectContaining({ address: '127.0.0.1:7233' }) as object,
    });
  });
});
