import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startFakeApi } from './support/fake-api.ts';

const shim = fileURLToPath(new URL('../../cli/lakeshift.mjs', import.meta.url));

/** Starts the program as a person would, on whatever Node runs these tests. */
function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [shim, ...args], {
    env: { PATH: process.env['PATH'], LAKESHIFT_HOME: '/nonexistent' },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, out, err })),
  );
  return { child, ended };
}

describe('the program lakeshift', () => {
  it('runs from the shell, in plain text, and exits with 0', async () => {
    const api = await startFakeApi({
      'GET /v1/targets': () => ({
        status: 200,
        body: { targets: [{ name: 'shop', dialect: 'postgres', taskQueue: 'q' }] },
      }),
    });
    const ran = await start('targets', '--api', api.address).ended;
    await api.close();

    expect(ran).toEqual({ code: 0, out: 'target  dialect   task queue\nshop    postgres  q\n', err: '' });
  });

  it.each([
    ['1 when nobody answers', ['targets', '--api', 'http://127.0.0.1:1'], 1],
    ['2 for a command that does not exist', ['explode'], 2],
  ])('exits with %s', async (_what, args, code) => {
    expect((await start(...args).ended).code).toBe(code);
  });

  it('passes a signal on and exits with 130', async () => {
    let isAsked: () => void;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const api = await startFakeApi({
      'GET /v1/targets': () => {
        isAsked();
        return undefined;
      },
    });
    const { child, ended } = start('targets', '--api', api.address);
    await asked;
    child.kill('SIGINT');

    expect((await ended).code).toBe(130);
    await api.close();
  });
});
