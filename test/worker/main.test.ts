import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processEnv, temporalAddress } from '../support/servers.ts';
import { freePort } from '../../tools/ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'lakeshift-worker-'));
const config = join(folder, 'lakeshift.yaml');
writeFileSync(
  config,
  `environment: test
targets:
  shop: { dialect: postgres, url: "\${env:SHOP_URL}", taskQueue: worker-test }
ledger: { url: "\${env:LEDGER_URL}" }
api: { open: true }
approvals: { trustTemporal: true }
`,
);

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}
const running: Running[] = [];
afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(env: Record<string, string>): Running {
  const main = fileURLToPath(new URL('../../worker/main.ts', import.meta.url));
  const urls = { SHOP_URL: 'postgres://nobody@127.0.0.1:1/shop', LEDGER_URL: 'postgres://nobody@127.0.0.1:1/ledger' };
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, LAKESHIFT_CONFIG: config, ...urls, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  const ended = once(child, 'exit').then(([code]) => code as number | null); // Node's own order of arguments
  const one = { child, output: () => text, ended };
  running.push(one);
  return one;
}

async function until(holds: () => boolean, what: () => string): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 400) throw new Error(`it did not happen: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('a worker says when it is ready and ends in order when it is asked to', async () => {
  const { child, output, ended } = start({ TEMPORAL_ADDRESS: temporalAddress() });
  await expect(once(child, 'message')).resolves.toContainEqual({ ready: true });
  child.kill('SIGTERM');
  await expect(ended).resolves.toBe(0);
  expect(output()).toContain('worker stopped');
});

test('a supervised worker ends when whoever started it has gone', async () => {
  const { child, ended } = start({ ...processEnv(), TEMPORAL_ADDRESS: temporalAddress(), LAKESHIFT_SUPERVISED: '1' });
  await once(child, 'message');
  child.disconnect();
  await expect(ended).resolves.toBe(0);
});

test('a worker that is told of a bundle of the workflows runs that, and does not start without it', async () => {
  const none = join(folder, 'no-bundle.js');
  const { output, ended } = start({ TEMPORAL_ADDRESS: temporalAddress(), LAKESHIFT_WORKFLOW_BUNDLE: none });
  await expect(ended).resolves.toBe(1);
  expect(output()).toMatch(/^the worker stopped: .*no-bundle\.js/m);
});

test('a worker waits for a Temporal that does not answer, says so in one line, and can be ended', async () => {
  const { child, output, ended } = start({ TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` });
  await until(() => output().includes('waiting for it'), output);
  child.kill('SIGTERM');
  await expect(ended).resolves.toBe(0);
  expect(
    output()
      .split('\n')
      .filter((line) => line.includes('waiting for it')),
  ).toHaveLength(1);
});

test('a worker whose configuration lacks something says all of it and does not start', async () => {
  const { output, ended } = start({ SHOP_URL: '', LEDGER_URL: '' });
  await expect(ended).resolves.toBe(1);
  expect(output()).toMatch(/SHOP_URL/);
  expect(output()).toMatch(/LEDGER_URL/);
});
