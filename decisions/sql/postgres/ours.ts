import type { Statement } from '../../../contracts/plan.ts';
import type { TableSpec } from '../../../contracts/spec.ts';
import { hashOf } from '../../hash.ts';
import { literal, quote } from './identifier.ts';

/** Names of what we add to the target for one deployment. */
export interface Ours {
  readonly schema: string;
  readonly table: string;
  readonly homeSchema: string;
  /** Eight hex digits of the spec's hash: two deployments of one table never run at once, so they need no more. */
  readonly mark: string;
  readonly key: readonly { readonly name: string; readonly type: string }[];
  /** How many leaves hold its rows, as it has no pages of its own; null: it is not partitioned. */
  readonly leaves: number | null;
  /** The owner of the table, when our role works as it. */
  readonly actsAs?: string;
  /** Others have triggers that may change a row before ours sees it. */
  readonly othersBefore?: boolean;
}

/** What tells our names in the target apart from those of other deployments. */
export const markOf = (spec: TableSpec): string => hashOf(spec).slice(0, 8);

/** A name of ours for a column; where its own name leaves no room, the change's place in the spec tells it apart. */
export const fittingName = (mark: string, what: string, column: string, index: number): string =>
  `lakeshift_${mark}_${what}_${/^[ -~]{1,38}$/.test(column) ? column : index}`;
/** The role and the path under which every statement of ours runs that touches the table. */
export function setting(ours: Ours, scope: 'SET' | 'SET LOCAL'): readonly Statement[] {
  const path: Statement = {
    id: 'path',
    note: 'names are looked up as in the trigger',
    sql: `${scope} search_path = ${searchPath(ours.schema)}`,
  };
  return ours.actsAs === undefined
    ? [path]
    : [{ id: 'role', note: 'as the owner of the table', sql: `${scope} ROLE ${quote(ours.actsAs)}` }, path];
}

/** The setting by which a session tells our trigger for which deployment it converts rows itself. */
export const actorSetting = 'lakeshift.actor';

/**
 * SQL in a trigger: the write is one of our backfill's own, not one of another deployment's and not one that somebody's
 * trigger has made of it. `depth`: how many triggers deep the backfill's own write is there.
 */
export const writesOfOurs = ({ mark }: Ours, depth: 0 | 1): string =>
  `(coalesce(current_setting(${literal(actorSetting)}, true), '') = ${literal(mark)} AND pg_trigger_depth() = ${depth})`;

/** Where names of functions and types are looked up in every statement of ours that holds an expression. */
export const searchPath = (schema: string): string => `pg_catalog, ${quote(schema)}, pg_temp`;

/** The table of the deployment. */
export const tableOf = ({ schema, table }: Ours): string => `${quote(schema)}.${quote(table)}`;

/** Moves every line to the right. */
export const indent = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => `${' '.repeat(by)}${line}`)
    .join('\n');
