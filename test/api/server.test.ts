import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freshDatabase, temporalAddress } from '../support/servers.ts';
import { spec } from './support/service.ts';

const main = fileURLToPath(new URL('../../api/server.ts', import.meta.url));
let folder: string;
let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeshift-api-'));
  database = await freshDatabase();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await database.drop();
});

interface Running {
  readonly child: ChildProcess;
  readonly said: () => string;
  /** The address of its `ready` message; fails when it ends before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<number | null>;
}

/** Runs the API as a process of its own, with an IPC channel as `npm start` gives it. */
async function run(yaml: string, env: Record<string, string> = {}): Promise<Running> {
  const file = join(folder, `${crypto.randomUUID()}.yaml`);
  await writeFile(file, yaml);
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { LAKESHIFT_CONFIG: file, TEMPORAL_ADDRESS: temporalAddress(), HOME: folder, ...env },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  // Not `close`: Node does not tell it of a child that was disconnected.
  const over = [child.stdout, child.stderr].map((stream) => new Promise((resolve) => stream?.once('close', resolve)));
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ended = Promise.all([exit, ...over]).then(([code]) => code);
  const ready = new Promise<string>((resolve, reject) => {
    child.on('message', (message: { address: string }) => resolve(message.address));
    void ended.then(() => reject(new Error(text)));
  });
  ready.catch(() => undefined);
  return { child, ended, ready, said: () => text };
}

const open = () => `ledger: { url: "${database.url.replace(/:[^:@/]*@/, ':${env:PW}@')}" }
api: { open: true, port: 0 }
approvals: { trustTemporal: true }
targets: { shop: { dialect: postgres, url: "\${env:NOT_FOR_THE_API}" } }
`;
const password = () => ({ PW: new URL(database.url).password || 'none' });

describe('the API as a process', () => {
  test('says when it is ready and that it is open, and ends in order though somebody listens', async () => {
    const { child, ready, ended, said } = await run(open(), password());
    const address = await ready;
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const health = await fetch(`${address}/health/ready`);
    expect(await health.json()).toEqual({ status: 'ok', checks: { temporal: 'ok', ledger: 'ok' } });
    const preview = await fetch(`${address}/v1/plans`, {
      method: 'POST',
      body: JSON.stringify(spec({ strategy: 'none' })),
      headers: { 'content-type': 'application/json' },
    });
    expect(preview.status).toBe(422);

    const waiting = fetch(`${address}/v1/deployments/none-00000000?wait=60s`);
    expect((await waiting).status).toBe(404);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(said()).toContain('api is open: everybody on this machine may do everything');
    expect(said()).toContain('api is stopping');
  });

  test('ends when whoever started it has ended', async () => {
    const { child, ready, ended } = await run(open(), password());
    await ready;
    child.disconnect();
    expect(await ended).toBe(0);
  });

  test('says all that is wrong with its configuration and ends', async () => {
    const { ended, said } = await run('enviroment: x\napi: { prot: 1 }\n');
    expect(await ended).toBe(1);
    expect(said()).toContain('3 mistakes');
    expect(said()).toContain('did you mean environment?');
    expect(said()).toContain('did you mean port?');
    expect(said()).toContain('ledger is missing');
  });

  test('says that the ledger does not answer, without its address', async () => {
    const yaml =
      'ledger: { url: "postgres://u:${env:PW}@127.0.0.1:1/l" }\napi: { open: true }\napprovals: { trustTemporal: true }';
    const { ended, said } = await run(yaml, { PW: 's3cret-password' });
    expect(await ended).toBe(1);
    expect(said()).toBe('the API could not start: the ledger does not answer (ECONNREFUSED)\n');
  });

  test('says which port is taken', async () => {
    const first = await run(open(), password());
    const port = new URL(await first.ready).port;
    const second = await run(open(), { ...password(), LAKESHIFT_API_PORT: port });
    expect(await second.ended).toBe(1);
    expect(second.said()).toContain(`127.0.0.1:${port} is taken`);
    first.child.kill('SIGTERM');
    await first.ended;
  });
});
