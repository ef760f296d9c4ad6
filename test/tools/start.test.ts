import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { isRunning } from '../../tools/processes/identity.ts';
import { makeTestHome, until, type TestHome } from './run-start.ts';

const up = 'Ctrl-C stops everything.';
/** Whole services are started here, some twice: on a busy machine that takes a while, ms. */
const patience = 240_000;
const parts = ['API', 'PostgreSQL', 'Temporal', 'worker'];

describe('npm start', () => {
  let home: TestHome;
  beforeEach(async () => {
    home = await makeTestHome();
  });
  afterEach(() => home.remove(), patience);

  const readShopUrl = (): Promise<string> => readFile(join(home.folder, 'run', 'shop.url'), 'utf8');

  async function onShop<T extends object>(sql: string): Promise<T[]> {
    const client = new Client({ connectionString: await readShopUrl() });
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  it(
    'brings everything up, says where it is, and ends all of it and nothing else at Ctrl-C',
    async () => {
      const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      // the others need not bundle the workflows themselves
      const start = home.start(undefined, { LAKESHIFT_WORKFLOW_BUNDLE: undefined });
      await start.says(up);
      const processes = await home.processes();
      expect(Object.keys(processes).sort()).toEqual(parts);

      const published: unknown = JSON.parse(await readFile(join(home.folder, 'run', 'api.json'), 'utf8'));
      const { address, ui } = published as { address: string; ui: string };
      expect(start.output()).toContain(`API            ${address}\n`);
      expect(start.output()).toContain(`API, to try    ${address}/docs\n`);
      expect(start.output()).toContain(`Temporal UI    ${ui}\n`);
      for (const page of [`${address}/health/ready`, `${address}/docs/`, ui]) {
        expect([page, (await fetch(page)).status]).toEqual([page, 200]);
      }

      start.pressCtrlC();
      expect(await start.ended).toBe(0);
      for (const [name, identity] of Object.entries(processes))
        expect([name, await isRunning(identity)]).toEqual([name, false]);
      await expect(readFile(join(home.folder, 'run', 'api.json'))).rejects.toThrow('ENOENT');
      bystander.kill();
      await once(bystander, 'exit');
    },
    patience,
  );

  it(
    'finds its data again after SIGKILL, and ends what was left behind',
    async () => {
      const first = home.start();
      await first.says(up);
      await onShop('create table kept as select 42 as answer');
      const before = await home.processes();
      process.kill((await home.supervisor()).pid, 'SIGKILL');
      await first.ended;
      const gone = async (name: string): Promise<boolean> => {
        const identity = before[name];
        return identity !== undefined && !(await isRunning(identity));
      };
      await until(
        'our own programs have ended by themselves',
        async () => (await gone('API')) && (await gone('worker')),
      );
      expect([await gone('PostgreSQL'), await gone('Temporal')]).toEqual([false, false]);

      const second = home.start();
      await second.says(up);
      expect(second.output()).toContain('ended what an earlier start had left behind: PostgreSQL, Temporal\n');
      expect([await gone('PostgreSQL'), await gone('Temporal')]).toEqual([true, true]);
      expect(await onShop('select answer from kept')).toEqual([{ answer: 42 }]);
    },
    patience,
  );

  it(
    'goes on with a deployment when everything was killed in the middle of its backfill',
    async () => {
      const first = home.start(['--demo', '--rows', '200000']);
      await first.says('▸ backfill');
      const processes = Object.values(await home.processes());
      for (const { pid } of [await home.supervisor(), ...processes]) process.kill(pid, 'SIGKILL');
      await first.ended;
      expect(first.output()).not.toContain('✓ backfill');
      expect(processes).toHaveLength(parts.length);

      const second = home.start(['--demo', '--exit']);
      const code = await second.ended;
      expect(second.output()).toMatch(/going on with payments-cents-[0-9a-f]{8}, which an earlier demo has begun/);
      expect(code).toBe(0);
      expect(second.output()).toMatch(/errors +\d+ +0\n/);
      expect(second.output()).toContain('in the same transactions: 0 rows differ');
    },
    patience,
  );

  it(
    'starts again what has died',
    async () => {
      const start = home.start();
      await start.says(up);
      for (const [name, signal] of [
        ['worker', 'SIGKILL'],
        ['PostgreSQL', 'SIGQUIT'],
      ] as const) {
        const before = (await home.processes())[name];
        if (before === undefined) throw new Error(`${name} is not on record`);
        process.kill(before.pid, signal);
        await start.says(`the ${name} runs again`);
        expect((await home.processes())[name]?.pid).not.toBe(before.pid);
      }
      expect(await onShop('select 1 as one')).toEqual([{ one: 1 }]);
    },
    patience,
  );

  it(
    'ends everything at once at the second Ctrl-C',
    async () => {
      const start = home.start();
      await start.says(up);
      const processes = Object.values(await home.processes());
      // A server that does not listen to polite words.
      const temporal = (await home.processes())['Temporal'];
      if (temporal === undefined) throw new Error('Temporal is not on record');
      process.kill(temporal.pid, 'SIGSTOP');
      start.pressCtrlC();
      await start.says('stopping');
      // Signals that come together count as one, because npm repeats what the terminal has sent: press until it counts.
      const pressing = setInterval(() => start.pressCtrlC(), 100);
      const code = await start.ended;
      clearInterval(pressing);
      expect(code).toBe(130);
      for (const identity of processes) expect(await isRunning(identity)).toBe(false);
    },
    patience,
  );

  it(
    'is refused with one line while another one uses the same folder',
    async () => {
      const first = home.start();
      await first.says('API ');
      const second = home.start();
      expect(await second.ended).toBe(1);
      expect(second.output()).toMatch(/^Lakeshift runs here already \(pid \d+\); end it, or set LAKESHIFT_HOME .*\n$/);
    },
    patience,
  );
});

describe('npm start, when something is in the way,', () => {
  let home: TestHome;
  beforeEach(async () => {
    home = await makeTestHome();
  });
  afterEach(() => home.remove(), patience);

  it.each([
    ['LAKESHIFT_API_PORT', 'the API'],
    ['LAKESHIFT_TEMPORAL_PORT', 'Temporal'],
    ['LAKESHIFT_UI_PORT', "Temporal's UI"],
    ['LAKESHIFT_POSTGRES_PORT', 'PostgreSQL'],
  ])(
    'says in one line that the port of %s is taken',
    async (variable, what) => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      const start = home.start(['--no-demo'], { [variable]: String(port) });
      const code = await start.ended;
      server.close();
      expect({ code, said: start.output() }).toEqual({
        code: 1,
        said: `port ${port} for ${what} is taken; end what uses it, or set ${variable} (0: any free port)\n`,
      });
    },
    patience,
  );

  it.each([
    [
      { TEMPORAL_ADDRESS: '127.0.0.1:1' },
      /^nothing answers at 127\.0\.0\.1:1 \(TEMPORAL_ADDRESS\); unset it to start .*\n$/,
    ],
    [
      { LAKESHIFT_DATABASE_URL: 'postgres://someone:hunter2@127.0.0.1:1/x' },
      /^the database of LAKESHIFT_DATABASE_URL can't be reached \(ECONNREFUSED\)\n$/,
    ],
    [{ LAKESHIFT_API_PORT: 'many' }, /^LAKESHIFT_API_PORT must be a whole number from 0 to 65535, not "many"\n$/],
  ])(
    'says in one line what is wrong with %j',
    async (env, line) => {
      const start = home.start(['--no-demo'], env);
      expect(await start.ended).toBe(1);
      expect(start.output()).toMatch(line);
    },
    patience,
  );
});
