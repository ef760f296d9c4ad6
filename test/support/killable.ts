import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Step } from './deliver.ts';

/** An activity in a process of its own, to be killed as a crash would. */
export class Killable {
  readonly #child: ChildProcess;
  readonly ready: Promise<unknown>;

  constructor() {
    const script = fileURLToPath(new URL('./step-process.ts', import.meta.url));
    this.#child = fork(script, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    this.ready = once(this.#child, 'message');
  }

  /** What the activity answered, or null when the process was killed before. */
  async go(url: string, step: Step, attempt: number): Promise<{ facts?: unknown; failed?: string } | null> {
    await this.ready;
    const ended = once(this.#child, 'exit').then(() => null);
    const answered = once(this.#child, 'message').then(([answer]) => answer as { facts?: unknown; failed?: string });
    this.#child.send({ url, step, attempt });
    return Promise.race([ended, answered]);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
