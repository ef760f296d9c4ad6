import type { Launched } from './launch.ts';
import { stopPid, type Escalation } from './stop.ts';

/** A server that may be away for a while and come back as it was started. */
export class Restartable {
  readonly #start: () => Promise<Launched>;
  readonly #escalation: Escalation | undefined;
  #pid: number;

  private constructor(start: () => Promise<Launched>, pid: number, escalation?: Escalation) {
    this.#start = start;
    this.#pid = pid;
    this.#escalation = escalation;
  }

  /** `start` settles when the server is ready. */
  static async of(start: () => Promise<Launched>, escalation?: Escalation): Promise<Restartable> {
    return new Restartable(start, (await start()).pid, escalation);
  }

  /** Of the process that was started last. */
  get pid(): number {
    return this.#pid;
  }

  /** Ends it and leaves its files. */
  async down(): Promise<void> {
    await stopPid(this.#pid, this.#escalation);
  }

  async up(): Promise<void> {
    this.#pid = (await this.#start()).pid;
  }
}
