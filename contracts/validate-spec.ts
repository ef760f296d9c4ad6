/** What a side, or a batch, has to answer. */
export interface ValidateSpec {
  readonly probes: readonly ProbeSpec[];
  /** Default 30. */
  readonly tries?: number;
  /** Default `2s`. */
  readonly every?: string;
  /** How many good answers in a row. Default 3. */
  readonly needs?: number;
}

export type ProbeSpec =
  | { readonly http: string; readonly status?: number; readonly timeout?: string }
  | { readonly tcp: string; readonly timeout?: string }
  | { readonly grpc: string; readonly service?: string; readonly timeout?: string }
  | {
      /** Address of a coordinator; without user and password. */
      readonly trino: string;
      /** A statement, or several: each has to end without an error. */
      readonly sql: string | readonly string[];
      /** Default `lakeshift`. */
      readonly user?: string;
      /** For all statements together. Default `10s`. */
      readonly timeout?: string;
    };
