/** What may cross a process boundary: plain JSON. Big integers and decimals travel as text. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** One row as an activity hands it back: bigint, numeric, dates and keys as text. */
export type Row = { readonly [column: string]: Json };
