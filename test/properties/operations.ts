import fc from 'fast-check';
import { keyNames, type KeyKind } from './keys.ts';
import { subjectNames, type SubjectName } from './subjects.ts';

/**
 * One write of an application. Its numbers are turned into rows, columns and values of the moment, so that any part of
 * a sequence still makes sense when fast-check leaves the rest out.
 */
export interface WishedWrite {
  readonly kind: 'insert' | 'update' | 'many' | 'touch' | 'rekey' | 'delete' | 'upsert';
  /** Which version of the application writes: it names the columns of its shape. */
  readonly shape: 'old' | 'new' | 'both';
  readonly pick: number;
  readonly values: readonly number[];
}

/** What somebody else does to the table. */
export type Drift =
  'disable trigger' | 'enable trigger' | 'drop trigger' | 'drop column' | 'vacuum' | 'vacuum full' | 'truncate';

/** What happens right before a statement of ours, or to it. */
export type Happening =
  | { readonly is: 'cut' | 'lose' | 'orphan' | 'terminate' }
  /** An abort: the fence is raised while the effect is under way. */
  | { readonly is: 'supersede' }
  | { readonly is: 'pause' }
  | { readonly is: 'let go'; readonly commit: boolean }
  | { readonly is: 'drift'; readonly drift: Drift }
  | { readonly is: 'write'; readonly write: WishedWrite };

export interface Event {
  /** The statement's number in the effect, from 1. */
  readonly at: number;
  readonly happens: Happening;
}

export type Operation =
  | { readonly do: 'write'; readonly write: WishedWrite }
  | { readonly do: 'transaction'; readonly writes: readonly WishedWrite[]; readonly commit: boolean }
  /** A transaction stays open and keeps the locks of its rows. */
  | { readonly do: 'hold'; readonly writes: readonly WishedWrite[] }
  | { readonly do: 'let go'; readonly commit: boolean }
  /** The next effect of the deployment, once. */
  | { readonly do: 'go'; readonly events: readonly Event[] }
  /** The next effect of the deployment, delivered twice at the same time. */
  | { readonly do: 'twice' }
  /** An effect that is long over is delivered again. */
  | { readonly do: 'late'; readonly pick: number }
  | { readonly do: 'pause' | 'resume' | 'back' | 'rival' }
  | { readonly do: 'drift'; readonly drift: Drift };

export interface Sequence {
  readonly subject: SubjectName;
  readonly key: KeyKind;
  readonly conflict: 'old-wins' | 'new-wins';
  readonly rows: number;
  readonly fillfactor: number;
  readonly superPages: number;
  readonly pagesAtOnce: number;
  /** How many effects are over, undisturbed, before the operations begin. */
  readonly head: number;
  /** What the deployment is driven to once the operations are over. */
  readonly ending: 'contract' | 'rollback';
  readonly operations: readonly Operation[];
}

const small = fc.nat(1_000);
const write: fc.Arbitrary<WishedWrite> = fc.record({
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('insert' as const, 'update' as const) },
    { weight: 3, arbitrary: fc.constant('touch' as const) },
    { weight: 3, arbitrary: fc.constantFrom('rekey' as const, 'delete' as const, 'upsert' as const, 'many' as const) },
  ),
  shape: fc.constantFrom('old', 'new', 'both'),
  pick: small,
  values: fc.array(small, { minLength: 4, maxLength: 4 }),
});
const writes = fc.array(write, { minLength: 1, maxLength: 3 });
const commit = fc.boolean();
const drift = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Drift>('disable trigger', 'enable trigger', 'vacuum', 'vacuum full') },
  { weight: 1, arbitrary: fc.constantFrom<Drift>('drop trigger', 'drop column', 'truncate') },
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant('write' as const), write }) },
  { weight: 4, arbitrary: fc.record({ is: fc.constantFrom('cut' as const, 'lose', 'orphan', 'terminate') }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constantFrom('supersede' as const, 'pause') }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('let go' as const), commit }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('drift' as const), drift }) },
);
const event = fc.record({ at: fc.integer({ min: 1, max: 40 }), happens: happening });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('go' as const),
      events: fc.oneof(
        { weight: 1, arbitrary: fc.constant([]) },
        { weight: 2, arbitrary: fc.array(event, { maxLength: 4 }) },
      ),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('write' as const), write }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('transaction' as const), writes, commit }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hold' as const), writes }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('let go' as const), commit }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('twice' as const, 'pause', 'resume', 'rival') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('late' as const), pick: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drift' as const), drift }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('back' as const) }) },
);

/** Any sequence; it shrinks to fewer operations, events and rows. */
export const sequences: fc.Arbitrary<Sequence> = fc.record({
  subject: fc.constantFrom(...subjectNames),
  key: fc.constantFrom(...keyNames),
  conflict: fc.constantFrom('old-wins', 'new-wins'),
  rows: fc.integer({ min: 1, max: 90 }),
  fillfactor: fc.constantFrom(100, 60),
  superPages: fc.integer({ min: 1, max: 4 }),
  pagesAtOnce: fc.integer({ min: 1, max: 3 }),
  head: fc.nat(8),
  ending: fc.constantFrom('contract', 'contract', 'rollback'),
  operations: fc.array(operation, { minLength: 1, maxLength: 24, size: 'max' }),
});
