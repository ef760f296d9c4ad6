import type { AlterFacts } from '../../contracts/activities.ts';
import type { StageKind } from '../../contracts/catalog.ts';
import type { Failure } from '../../contracts/failures.ts';
import type { JsonObject } from '../../contracts/json.ts';
import type { StageOf } from '../../contracts/plan.ts';
import type { Run } from '../run.ts';

/** How one go at a stage ends. */
export type Turn =
  /** The stage is over. */
  | { readonly next: 'promote'; readonly note: string; readonly skipped?: boolean; readonly data?: JsonObject }
  /** Another turn: there is more to do, to look at, or an order to carry out first. */
  | { readonly next: 'again' }
  /** A person has to look. */
  | { readonly next: 'park'; readonly failure: Failure }
  /** It failed: the plan's policy says whether to park or to go back. */
  | { readonly next: 'fail'; readonly failure: Failure }
  /** What was seen says to take everything back. */
  | { readonly next: 'back'; readonly because: string }
  /** The target does not allow the change. */
  | { readonly next: 'refuse'; readonly because: string };

/** What a stage kind is: the unit of extension inside the workflow. */
export interface StageRunner<K extends StageKind> {
  /**
   * Looks and waits that come before approval and effect; touches nothing. Runs again before each try, and right after
   * the last approval. Null as an answer: ready.
   */
  readonly prepare: ((stage: StageOf<K>, run: Run) => Promise<Turn | null>) | null;
  /** One turn of the effect. May run again after it has happened already. */
  perform(stage: StageOf<K>, run: Run): Promise<Turn>;
  /** Takes back what `perform` may have done, also when it did nothing. Null: it leaves nothing behind. */
  readonly undo: ((stage: StageOf<K>, run: Run) => Promise<void>) | null;
}

/** Another turn. */
export const again: Turn = { next: 'again' };

/** The stage is over; `data` goes into the ledger beside the note. */
export const promote = (note: string, data: JsonObject = {}): Turn => ({ next: 'promote', note, data });

/** The stage is over, and changed a table: for how long that locked it is what the application may have felt. */
export const altered = ({ changed, lockMs, tries }: AlterFacts): Turn =>
  changed
    ? promote(`locked for ${lockMs} ms${tries === 1 ? '' : `, ${tries} tries`}`, { lockMs, tries })
    : promote('it was done already');

/** The stage is over because there was nothing to do. */
export const skipped = (note: string): Turn => ({ next: 'promote', note, skipped: true });

/** A person has to look. */
export const park = (code: Failure['code'], detail: string): Turn => ({ next: 'park', failure: { code, detail } });
