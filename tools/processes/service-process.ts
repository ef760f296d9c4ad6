import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A worker or an API in a process of its own, as a supervisor runs it. */
export interface ServiceProcess {
  readonly pid: number;
  /** What it said when it was ready: the API's address; empty for a worker. */
  readonly ready: Promise<string>;
  /** Asks it to end and waits until it has. */
  readonly stop: () => Promise<void>;
  /** Kills it at once, as a crash would. */
  readonly kill: () => Promise<void>;
}

/**
 * Starts `worker/main.ts` or `api/server.ts` on this very Node. `env` is all that it sees of the environment; its log
 * goes to `logTo`, a file descriptor, or nowhere.
 */
export function startServiceProcess(
  file: 'worker/main.ts' | 'api/server.ts',
  env: NodeJS.ProcessEnv,
  logTo?: number,
): ServiceProcess {
  const script = fileURLToPath(new URL(`../../${file}`, import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    env,
    stdio: ['ignore', logTo ?? 'ignore', 'pipe', 'ipc'],
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = `${words}${text}`.slice(-4_000)));
  const ended = once(child, 'exit');
  const ready = new Promise<string>((resolve, reject) => {
    child.on('message', (message) => {
      const { address = '' } = message as { address?: string }; // `{ ready: true, address? }`
      resolve(address);
    });
    child.on('exit', (code) => {
      reject(new Error(`${file} ended with ${code ?? 'a signal'}: ${words}`));
    });
  });
  // whoever kills it on purpose need not also wait for it to be ready
  ready.catch(() => undefined);
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await ended;
  };
  return { pid: child.pid ?? 0, ready, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}
