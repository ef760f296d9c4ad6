import { endOwn } from '../processes/records.ts';
import { ToolFailure } from '../tool-failure.ts';
import type { Part, Running } from './part.ts';
import { supervise, type Supervised } from './supervise.ts';

/** All parts that are kept running. */
export interface Crew {
  /** Starts a part and keeps it running; rejects with one line when it will not start. Gives what the start gave. */
  readonly add: <R extends Running>(part: Part<R>) => Promise<R>;
  /** Ends them one after the other, those that use others first; then nothing of ours runs any more. */
  readonly stop: () => Promise<void>;
}

/** Who uses others ends before them. */
const stopOrder = ['API', 'worker', 'Temporal', 'PostgreSQL'];

/** A crew whose processes are on record in `recordFolder`. */
export function createCrew(recordFolder: string, say: (line: string) => void): Crew {
  const members: Supervised[] = [];
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  return {
    add: async (part) => {
      if (isStopping()) throw new ToolFailure(`the ${part.name} is not started any more`);
      const member = await supervise(part, say);
      members.push(member);
      // It came up while the others were being stopped.
      if (isStopping()) await member.stop();
      return member.first;
    },
    stop: async () => {
      stopping.abort();
      members.sort((a, b) => stopOrder.indexOf(a.name) - stopOrder.indexOf(b.name));
      for (const member of members) await member.stop();
      // What had been started and did not answer yet is nobody's member.
      await endOwn(recordFolder, 'orderly');
    },
  };
}
