import type { Spec } from '../../../contracts/spec.ts';
import { hashOf } from '../../hash.ts';
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

/** What tells our names in the target apart from those of other deployments. */
export const markOf = (spec: Spec): string => hashOf(spec).slice(0, 8);

/** A name of ours for a column; where its own name leaves no room, the change's place in the spec tells it apart. */
export const fittingName = (mark: string, what: string, column: string, index: number): string =>
  `lakeshift_${mark}_${what}_${/^[ -~]{1,38}$/.test(column) ? column : index}`;

/** The table of the deployment. */
export const tableOf = ({ schema, table }: Ours): string => `${quote(schema)}.${quote(table)}`;

/** Moves every line to the right. */
export const indent = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => `${' '.repeat(by)}${line}`)
    .join('\n');
