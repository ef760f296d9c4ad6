import type { FoundObject } from './objects.ts';
import { isNewer, isVersion } from './resource-version.ts';

/** An object as it is known, and since when. */
export interface Look {
  /** Null: there is none of this name. */
  readonly object: FoundObject | null;
  /** Everything that had happened to it by then is in it, epoch ms. */
  readonly seenAt: number;
  /** Settles when it has changed, or when nobody watches it any more; null: nobody does. */
  readonly changed: Promise<null> | null;
}

/** What the API server says while it is watched. */
export interface WatchEvent {
  readonly type: string;
  readonly object: FoundObject;
}

/** How the API server is asked for objects of one kind in one namespace. */
export interface KindSource {
  /** The object of that name (null: there is none) and the version of all of them at that moment. */
  readonly read: (name: string) => Promise<{ readonly object: FoundObject | null; readonly version: string }>;
  /** Tells what happens after that version until it is stopped; `ended` gets the status of a refusal, or null. */
  readonly watch: (
    version: string,
    on: {
      readonly opened: () => void;
      readonly heard: (event: WatchEvent) => void;
      readonly ended: (status: number | null) => void;
    },
  ) => { readonly stop: () => void };
}

/**
 * Without a word for so long a watch is taken for dead, ms: bookmarks come each minute. What is answered from memory is
 * never older.
 */
export const silentMs = 90_000;
/** A watch that nobody has asked for so long ends, ms. */
const idleMs = 15 * 60_000;
/** One that held for so long was a good one, ms. */
const steadyMs = 60_000;
/** How soon after one that broke the next is begun, ms; meanwhile each look is a request of its own. */
const backOffMs = { first: 1_000, longest: 30_000, refused: 10 * 60_000 } as const;
/** Rights that are missing are not there a second later. */
const refusals: readonly (number | null)[] = [401, 403, 404, 405];

interface Entry {
  object: FoundObject | null;
  version: string;
  changed: PromiseWithResolvers<null>;
}

interface Session {
  readonly entries: Map<string, Entry>;
  readonly begunAt: number;
  isOpen: boolean;
  aliveAt: number;
  stop: () => void;
}

/**
 * What one watch tells of the objects of a kind in a namespace, for all who ask for one of them; only these are kept. It
 * begins with the first question, from the version of that very answer. When it breaks (410 Gone, too) all that is known
 * is forgotten: each object has to be read once more anyway before its state is certain again, and that brings a version
 * that is not too old to begin from.
 */
export class KindWatch {
  readonly #source: KindSource;
  readonly #now: () => number;
  #session: Session | null = null;
  #askedAt = 0;
  #failures = 0;
  #notBefore = 0;

  constructor(source: KindSource, now: () => number = Date.now) {
    this.#source = source;
    this.#now = now;
  }

  /** From memory while the watch is alive, else from the API server; whatever that throws is thrown. */
  async look(name: string): Promise<Look> {
    const askedAt = this.#now();
    this.#askedAt = askedAt;
    const session = this.#session;
    return session === null ? this.#first(name, askedAt) : this.#further(session, name, askedAt);
  }

  /** Ends the watch, and lets none begin any more. */
  close(): void {
    this.#notBefore = Infinity;
    this.#end(this.#session, null);
  }

  #isAlive({ isOpen, aliveAt }: Session): boolean {
    return isOpen && this.#now() - aliveAt <= silentMs;
  }

  async #first(name: string, askedAt: number): Promise<Look> {
    const { object, version } = await this.#source.read(name);
    // another one who asked has begun it: this answer may be older than what it has told already
    if (this.#session !== null || this.#now() < this.#notBefore || !isVersion(version))
      return { object, seenAt: askedAt, changed: null };
    const entry: Entry = { object, version, changed: Promise.withResolvers() };
    this.#begin(new Map([[name, entry]]), version, askedAt);
    return { object, seenAt: askedAt, changed: entry.changed.promise };
  }

  async #further(session: Session, name: string, askedAt: number): Promise<Look> {
    // there before the answer is: what the watch tells meanwhile may be newer
    const entry = entryOf(session, name);
    if (entry.object !== null && this.#isAlive(session))
      return { object: entry.object, seenAt: session.aliveAt, changed: entry.changed.promise };
    const { object, version } = await this.#source.read(name);
    if (session !== this.#session) return { object, seenAt: askedAt, changed: null };
    if (isNewer(version, entry.version)) update(entry, object, version);
    return { object: entry.object, seenAt: askedAt, changed: entry.changed.promise };
  }

  #begin(entries: Map<string, Entry>, version: string, askedAt: number): void {
    const session = { entries, begunAt: this.#now(), isOpen: false, aliveAt: askedAt, stop: (): void => undefined };
    this.#session = session;
    const { stop } = this.#source.watch(version, {
      opened: () => (session.isOpen = true),
      heard: (event) => this.#heard(session, event),
      ended: (status) => this.#end(session, status),
    });
    session.stop = stop;
  }

  #heard(session: Session, { type, object }: WatchEvent): void {
    if (session !== this.#session) return;
    const now = this.#now();
    // 410 among others; the next look begins anew
    if (type === 'ERROR' || now - this.#askedAt > idleMs) {
      this.#end(session, null);
      return;
    }
    session.aliveAt = now;
    if (type !== 'BOOKMARK') happened(session, type, object.metadata ?? {}, object);
  }

  #end(session: Session | null, status: number | null): void {
    if (session === null || session !== this.#session) return;
    this.#session = null;
    const now = this.#now();
    this.#failures = now - session.begunAt >= steadyMs ? 0 : this.#failures + 1;
    this.#notBefore = Math.max(this.#notBefore, now + waitMs(this.#failures, status));
    session.stop();
    for (const { changed } of session.entries.values()) changed.resolve(null);
  }
}

/** Not all workers at the same moment. */
function waitMs(failures: number, status: number | null): number {
  if (refusals.includes(status)) return backOffMs.refused;
  if (failures === 0) return 0;
  return Math.min(backOffMs.longest, backOffMs.first * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}

function happened(
  { entries }: Session,
  type: string,
  { name = '', resourceVersion = '' }: NonNullable<FoundObject['metadata']>,
  object: FoundObject,
): void {
  const entry = entries.get(name);
  if (entry !== undefined && isNewer(resourceVersion, entry.version))
    update(entry, type === 'DELETED' ? null : object, resourceVersion);
}

function entryOf({ entries }: Session, name: string): Entry {
  const entry = entries.get(name) ?? { object: null, version: '0', changed: Promise.withResolvers<null>() };
  entries.set(name, entry);
  return entry;
}

function update(entry: Entry, object: FoundObject | null, version: string): void {
  const { changed } = entry;
  Object.assign(entry, { object, version, changed: Promise.withResolvers<null>() });
  changed.resolve(null);
}
