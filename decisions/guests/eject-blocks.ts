import { homeMark, homeTables } from '../../contracts/home.ts';
import type { Alteration, TablePlan, Statement } from '../../contracts/plan.ts';
import { literal, quote } from '../sql/postgres/identifier.ts';

/** Whose half-done change it is, and where. */
export interface Ejected {
  readonly plan: TablePlan;
  readonly deployment: string;
}

/** How often a try for a lock is repeated before the script gives up and can be run again. */
const patience = 300;

/** A statement of the plan with the deployment's id in its place. */
export const bound = ({ sql }: Statement, { deployment }: Ejected): string =>
  sql
    .trimEnd()
    .replace(/;$/, '')
    .replaceAll(/\$1(?!\d)/g, () => literal(deployment));

/** SQL: one boolean, whether a DDL transaction of the plan is in place. */
export const isDone = ({ done }: Alteration, ejected: Ejected): string => `(${bound(done, ejected)})`;

const home = ({ plan }: Ejected): string => quote(plan.object.homeSchema);
const claims = (ejected: Ejected): string => `${home(ejected)}.claims`;

/** A text as an argument of EXECUTE, in dollar quotes that no statement of a plan uses. */
export const quoted = (sql: string): string => `$statement$${sql}$statement$`;

/** One step, which does nothing where this deployment has no claim: before it began, and after the end of this script. */
export function step(ejected: Ejected, title: string, declared: readonly string[], body: readonly string[]): string {
  return [
    ...title.split('\n').map((line) => `-- ${line}`),
    'DO $eject$',
    ...(declared.length === 0 ? [] : [`DECLARE ${declared.join(' ')}`]),
    'BEGIN',
    `  IF to_regclass(${literal(claims(ejected))}) IS NULL THEN RETURN; END IF;`,
    `  IF NOT EXISTS (SELECT FROM ${claims(ejected)} WHERE deployment = ${literal(ejected.deployment)}) THEN RETURN; END IF;`,
    ...body.map((line) => `  ${line}`),
    'END $eject$;',
  ].join('\n');
}

/** What the script says first when there is nothing for it to do. */
export const announce = (ejected: Ejected): string =>
  [
    '-- whether there is anything to do',
    'DO $eject$',
    'DECLARE eject_found boolean := false;',
    'BEGIN',
    `  IF to_regclass(${literal(claims(ejected))}) IS NOT NULL THEN`,
    `    SELECT EXISTS (SELECT FROM ${claims(ejected)} WHERE deployment = ${literal(ejected.deployment)}) INTO eject_found;`,
    '  END IF;',
    `  IF NOT eject_found THEN RAISE NOTICE 'there is no claim of % in this database: nothing is done', ${literal(ejected.deployment)}; END IF;`,
    'END $eject$;',
  ].join('\n');

/** From here on no attempt of the service writes any more, whether it lives or not. */
export function fence(ejected: Ejected): string {
  const name = `lakeshift ${ejected.deployment.slice(-40)} #%`.replaceAll('_', '\\_');
  const mine = `WHERE deployment = ${literal(ejected.deployment)}`;
  return step(
    ejected,
    'the service is fenced off: its sessions end, and no attempt of it can write any more',
    [],
    [
      'BEGIN',
      `  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE ${literal(name)} AND pid <> pg_backend_pid();`,
      `EXCEPTION WHEN insufficient_privilege THEN RAISE NOTICE 'sessions of the service can not be ended by this role; the fence holds all the same';`,
      'END;',
      `UPDATE ${claims(ejected)} SET turn = turn + 1000000000, fence = fence + 1 ${mine};`,
      `UPDATE ${home(ejected)}.progress SET fence = fence + 1 ${mine};`,
    ],
  );
}

/** Statements under short lock timeouts, again and again: a session that holds the table delays us, not the application. */
export const patiently = (statements: readonly string[]): readonly string[] => [
  `PERFORM set_config('lock_timeout', '100ms', true);`,
  'LOOP',
  '  BEGIN',
  ...statements.map((sql) => indent(`${sql};`, 4)),
  '    EXIT;',
  '  EXCEPTION WHEN lock_not_available THEN',
  '    eject_tries := eject_tries + 1;',
  `    IF eject_tries >= ${patience} THEN RAISE EXCEPTION 'others hold the table; run this script again'; END IF;`,
  '    PERFORM pg_sleep(0.2);',
  '  END;',
  'END LOOP;',
];
export const tries = 'eject_tries int := 0;';

/** One DDL transaction of the plan, if it is not in place. */
export const altered = (alteration: Alteration, ejected: Ejected): readonly string[] => [
  `IF NOT ${isDone(alteration, ejected)} THEN`,
  ...patiently(alteration.statements.map((statement) => bound(statement, ejected))).map((line) => indent(line, 2)),
  'END IF;',
];

/** A setting of a session of ours, for one transaction only. */
export const forNow = ({ sql }: Statement): string => `${sql.replace(/^SET (?!LOCAL)/, 'SET LOCAL ')};`;

const isSetting = ({ sql }: Statement): boolean => sql.startsWith('SET ');

/** Those of the statements that do something; the others only set what these need. */
export const longOf = (statements: readonly Statement[]): readonly Statement[] =>
  statements.filter((statement) => !isSetting(statement));

/** What reads the whole table, under a weak lock and each in a transaction of its own; remembered as `word_0`, `word_1`… */
export const longSteps = (
  ejected: Ejected,
  statements: readonly Statement[],
  word: string,
  first: readonly string[],
): readonly string[] =>
  longOf(statements).map((statement, index) =>
    step(
      ejected,
      statement.note,
      [tries],
      [
        ...first,
        ...statements.filter(isSetting).map(forNow),
        ...patiently([bound(statement, ejected)]),
        remember(`${word}_${index}`, ejected),
      ],
    ),
  );

/** The owner of the table, as whom our role worked, was let into our schema; not while another deployment works as it. */
function turnOut(ejected: Ejected): readonly string[] {
  const { actsAs } = ejected.plan.object;
  if (actsAs === undefined) return [];
  const others = `SELECT FROM ${claims(ejected)} AS o JOIN pg_class AS t ON t.oid = o.table_oid WHERE o.deployment <> ${literal(ejected.deployment)} AND pg_get_userbyid(t.relowner) = ${literal(actsAs)}`;
  return [`IF NOT EXISTS (${others}) THEN REVOKE ALL ON SCHEMA ${home(ejected)} FROM ${quote(actsAs)}; END IF;`];
}

/** Gives the claim back, and with the last one all that is ours. `unless`: SQL, why it may not be given back yet. */
export function release(ejected: Ejected, unless: readonly string[]): string {
  const mine = `WHERE deployment = ${literal(ejected.deployment)}`;
  const tables = homeTables.map((table) => `${home(ejected)}.${table}`).join(', ');
  return step(
    ejected,
    'the claim is given back, and with the last one everything that is ours goes',
    [],
    [
      ...(unless.length === 0
        ? []
        : [
            `IF ${unless.join(' OR ')} THEN RAISE EXCEPTION 'a step before this one has failed; mend it and run this script again'; END IF;`,
          ]),
      `PERFORM pg_advisory_xact_lock(hashtext('lakeshift home'));`,
      `DELETE FROM ${home(ejected)}.misfits WHERE mark IN (SELECT mark FROM ${claims(ejected)} ${mine});`,
      ...turnOut(ejected),
      `DELETE FROM ${claims(ejected)} ${mine};`,
      `IF NOT EXISTS (SELECT FROM ${claims(ejected)}) THEN`,
      `  DROP TABLE IF EXISTS ${tables};`,
      `  IF obj_description(to_regnamespace(${literal(home(ejected))}), 'pg_namespace') = ${literal(homeMark)} THEN DROP SCHEMA ${home(ejected)}; END IF;`,
      'END IF;',
    ],
  );
}

export const indent = (text: string, by: number): string => {
  // Only the first line: the others may stand inside a quoted text.
  return `${' '.repeat(by)}${text}`;
};

/** A word that later steps of the same session look for: a client that goes on after an error must not go on to a drop. */
export const remember = (what: string, { deployment }: Ejected): string =>
  `PERFORM set_config(${literal(`lakeshift.eject_${what}`)}, ${literal(deployment)}, false);`;
/** SQL: the step that should have said so has not, in this session. */
export const notRemembered = (what: string, { deployment }: Ejected): string =>
  `current_setting(${literal(`lakeshift.eject_${what}`)}, true) IS DISTINCT FROM ${literal(deployment)}`;
