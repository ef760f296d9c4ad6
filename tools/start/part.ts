/** A server that runs. */
export interface Running {
  readonly pid: number;
  /** Settles when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Orderly; settles when it is gone. */
  readonly stop: () => Promise<void>;
}

/** Something that is kept running. */
export interface Part<R extends Running = Running> {
  readonly name: string;
  /** Settles when it answers; rejects with one line when it will not. */
  readonly start: () => Promise<R>;
}
