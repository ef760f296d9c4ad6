import type { Grant, GrantsView } from '../../contracts/api.ts';
import { wrap } from './text.ts';

/** The statements as a script for psql, with a comment before each; optional ones are commented out. */
export function renderGrants({ target, role, table, grants }: GrantsView): string {
  const needed = grants.filter(({ needed }) => needed);
  const optional = grants.filter(({ needed }) => !needed);
  return [
    `-- what the role ${role} needs in the target ${target}; run in that database by who administers it`,
    ...(table === null ? [`-- and for each table: lakeshift grants ${target} --table schema.table`] : []),
    ...needed.map(statement),
    '-- good to have: take away the dashes of those that you give',
    ...optional.map((grant) => statement(grant).replace(`${grant.sql};`, `-- ${grant.sql};`)),
  ].join('\n\n');
}

const statement = ({ sql, note, there }: Grant): string =>
  `${comment(`${note}${there === true ? ' (it is given already)' : ''}`)}\n${there === true ? '-- ' : ''}${sql};`;

const comment = (text: string): string =>
  wrap(text, 0, 100)
    .split('\n')
    .map((line) => `-- ${line}`)
    .join('\n');
