import type { ExportForm } from '../../contracts/catalog.ts';
import type { TablePlan } from '../../contracts/plan.ts';
import { finishedSql } from './finished-sql.ts';

/** A migration of another tool. */
export interface ExportFile {
  /** Where that tool looks for it. */
  readonly path: string;
  readonly text: string;
  /** How it is kept from running where the change is made already. */
  readonly how: string;
}

/** Writes the finished change in another tool's form. `at`: epoch ms; tools with numbered files get the second of it, UTC. */
export const exportFile = (plan: TablePlan, form: ExportForm, at: number): ExportFile =>
  forms[form](plan, versionAt(at));

/** Fourteen digits, year to second, UTC. */
const versionAt = (at: number): string => new Date(at).toISOString().replaceAll(/[^\d]/g, '').slice(0, 14);

const doesNothing = 'it may run anywhere: where the change is made already it does nothing';

const forms: Readonly<Record<ExportForm, (plan: TablePlan, version: string) => ExportFile>> = {
  sql: (plan) => ({ path: `${plan.name}.sql`, text: script(plan), how: doesNothing }),
  flyway: (plan, version) => ({ path: `V${version}__${snake(plan)}.sql`, text: script(plan), how: doesNothing }),
  liquibase: (plan) => ({
    path: `${plan.name}.sql`,
    // its statements hold semicolons inside dollar quotes
    text: `--liquibase formatted sql\n\n--changeset lakeshift:${plan.name}-${plan.specHash.slice(0, 8)} splitStatements:false stripComments:false\n${script(plan)}`,
    how: `include it in the changelog; ${doesNothing}`,
  }),
  prisma: (plan, version) => ({
    path: `prisma/migrations/${version}_${snake(plan)}/migration.sql`,
    text: script(plan),
    how: `change schema.prisma alike, and where the service made the change run: prisma migrate resolve --applied ${version}_${snake(plan)}`,
  }),
  rails: (plan, version) => ({
    path: `db/migrate/${version}_${snake(plan)}.rb`,
    text: rails(plan),
    how: `${doesNothing}; run it, or dump schema.rb anew`,
  }),
};

const script = (plan: TablePlan): string =>
  [
    `-- ${plan.name}: ${plan.object.schema}.${plan.object.table}, as Lakeshift has changed it (spec ${plan.specHash.slice(0, 12)})`,
    '-- Where the change is made already it does nothing. Elsewhere it locks and rewrites the table at once.',
    finishedSql(plan),
  ].join('\n');

/** A quoted here-document: nothing in it is read by Ruby. */
const rails = (plan: TablePlan): string => `class ${camel(plan)} < ActiveRecord::Migration[7.0]
  def up
    execute <<-'LAKESHIFT_SQL'
${script(plan)}
    LAKESHIFT_SQL
  end

  def down
    raise ActiveRecord::IrreversibleMigration
  end
end
`;

/** Begins with a letter, as other tools want their names. */
const snake = ({ name }: TablePlan): string => name.replaceAll('-', '_').replace(/^(?=\d)/, 'change_');
const camel = (plan: TablePlan): string =>
  snake(plan)
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
