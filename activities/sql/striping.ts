import type { BackfillStage } from '../../contracts/plan.ts';
import { passesPay, plainBecause, type PassCount } from '../../decisions/pace/striping.ts';
import type { Chunk, Written } from './chunk-writer.ts';
import { textOf, type Session } from './session.ts';

/** When nobody was seen to hold pruning back, stripes are tried again after this time. */
const againMs = 5_000;
/** They stand in the history of the workflow. */
const mostNotes = 10;

/**
 * Whether passes in stripes pay at the moment, for all lanes of a slice. Where updates no longer find room on their
 * pages, because something holds pruning back, plain order is cheaper; when that has let go, stripes come back.
 */
export class Striping {
  readonly #control: Session;
  readonly #stage: BackfillStage;
  readonly #counts = new Map<number, PassCount>();
  /** A transaction id from about a second ago while stripes pay; from the moment when they were left since. */
  #mark: string | null = null;

  #wasHeld = false;
  #leftAt = 0;

  /** Why rows are gone over in plain order; null: in stripes. */
  plainBecause: string | null = null;
  /** Each time that stripes were left or taken up again, and why. */
  readonly notes: string[] = [];

  constructor(control: Session, stage: BackfillStage) {
    this.#control = control;
    this.#stage = stage;
  }

  /** Takes over what a chunk of a shard found. */
  async measure(shard: number, { pass }: Chunk, { rows, hot }: Written): Promise<void> {
    if (pass === 0) this.#counts.delete(shard);
    if (pass === 0 || hot === null || this.plainBecause !== null) return;
    const before = this.#counts.get(shard) ?? { rows: 0, hot: 0 };
    const count = { rows: before.rows + rows, hot: before.hot + hot };
    this.#counts.set(shard, count);
    if (!passesPay(count)) await this.#leave();
  }

  /** Looks whether what held pruning back has let go; called about once a second. */
  async watch(): Promise<void> {
    const seen = await this.#look();
    if (seen === null) return;
    if (this.plainBecause === null) this.#mark = seen.now;
    else if (seen.heldBy !== null) this.#say(seen);
    else if (this.#wasHeld && !seen.unseen) this.#takeUp('pruning goes on: in stripes again');
    else if (performance.now() - this.#leftAt > againMs) this.#takeUp('in stripes again, to see whether they pay now');
  }

  #takeUp(note: string): void {
    this.plainBecause = null;
    this.#wasHeld = false;
    this.#counts.clear();
    this.#note(note);
  }

  async #leave(): Promise<void> {
    // first of all, so that no other lane comes this way too
    this.plainBecause = plainBecause(null, false);
    this.#leftAt = performance.now();
    const seen = await this.#look();
    if (seen !== null) this.#mark = seen.now;
    this.#say(seen ?? { heldBy: null, unseen: false });
  }

  #say({ heldBy, unseen }: Pick<Seen, 'heldBy' | 'unseen'>): void {
    this.#wasHeld ||= heldBy !== null;
    this.plainBecause = plainBecause(heldBy, unseen);
    this.#note(`in plain order: ${this.plainBecause}`);
  }

  #note(text: string): void {
    if (this.notes.at(-1) !== text && this.notes.length < mostNotes) this.notes.push(text);
  }

  async #look(): Promise<Seen | null> {
    if (this.#stage.horizon === undefined) return null;
    // before the first mark nobody is older than it
    const row = (await this.#control.query(this.#stage.horizon.sql, [this.#mark ?? '0']))[0];
    const heldBy = textOf(row?.['held_by']);
    return {
      now: textOf(row?.['now']),
      heldBy: heldBy === '' || this.#mark === null ? null : heldBy,
      unseen: row?.['unseen'] === true,
    };
  }
}

interface Seen {
  readonly now: string;
  readonly heldBy: string | null;
  readonly unseen: boolean;
}
