/** One look at the checkpointer. Null: our role does not see it. */
export interface CheckpointLook {
  /** Epoch ms. */
  readonly at: number;
  /** What the checkpointer waits for: nothing to do, a checkpoint spread over minutes, or one in a hurry. */
  readonly doing: 'idle' | 'spread' | 'hurried' | null;
  /** Checkpoints begun, ever. */
  readonly begun: number | null;
  /** Pages that checkpoints have written, ever. */
  readonly written: number | null;
  /** Where the last finished checkpoint begins in the log. */
  readonly redo: string | null;
}

/** Whether a checkpoint is running. */
export interface Checkpoint {
  /** Null: can't be told. */
  readonly running: boolean | null;
  /** It writes as fast as it can, or syncs, as far as that can be seen; null: can't be told. */
  readonly hurried: boolean | null;
  /** Since when it has been seen running, epoch ms. */
  readonly since: number | null;
  /** When it last showed a sign of life, epoch ms. */
  readonly stirredAt: number;
  readonly look: CheckpointLook;
}

/** A checkpoint that has been counted and shows no sign of life for this long was skipped, ms. */
const silentMs = 60_000;

/** What one more look says. Who sees the checkpointer's wait event sees all; everybody sees its counters move. */
export function followCheckpoint(before: Checkpoint | null, look: CheckpointLook): Checkpoint {
  const { running, hurried, stirred } = look.doing === null ? byCounters(before, look) : byWaitEvent(look);
  return {
    running,
    hurried,
    since: running === true ? (before?.since ?? look.at) : null,
    stirredAt: stirred ? look.at : (before?.stirredAt ?? look.at),
    look,
  };
}

interface Seen extends Pick<Checkpoint, 'running' | 'hurried'> {
  readonly stirred: boolean;
}

const byWaitEvent = ({ doing }: CheckpointLook): Seen => ({
  running: doing !== 'idle',
  hurried: doing === 'hurried',
  stirred: true,
});

function byCounters(before: Checkpoint | null, look: CheckpointLook): Seen {
  if (before === null || isHidden(look)) return { running: null, hurried: null, stirred: true };
  const ended = look.redo !== before.look.redo;
  if (ended) return { running: false, hurried: false, stirred: true };
  const stirred = grew(before.look.begun, look.begun) || grew(before.look.written, look.written);
  const running = stirred || isUnderWay(before, look.at);
  return { running, hurried: running ? null : false, stirred };
}

const isUnderWay = ({ running, stirredAt }: Checkpoint, now: number): boolean =>
  running === true && now - stirredAt < silentMs;
const isHidden = ({ begun, written, redo }: CheckpointLook): boolean =>
  begun === null || written === null || redo === null;
const grew = (before: number | null, now: number | null): boolean => before !== null && now !== null && now > before;
