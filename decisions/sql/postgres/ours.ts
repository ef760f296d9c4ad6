import { quote } from './identifier.ts';

/** Names of what we add to the target for one deployment. */
export interface Ours {
  readonly schema: string;
  readonly table: string;
  readonly homeSchema: string;
  /** Eight hex digits of the spec's hash: two deployments of one table never run at once, so they need no more. */
  readonly mark: string;
  readonly key: readonly { readonly name: string; readonly type: string }[];
}

/** The table of the deployment. */
export const tableOf = ({ schema, table }: Ours): string => `${quote(schema)}.${quote(table)}`;

/** Moves every line to the right. */
export const indent = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => `${' '.repeat(by)}${line}`)
    .join('\n');
