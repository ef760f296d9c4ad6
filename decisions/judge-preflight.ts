import type { CheckFacts, LookResult } from '../contracts/activities.ts';
import type { DependentFacts, TableFacts } from '../contracts/facts.ts';
import type { Finding, TablePlan } from '../contracts/plan.ts';
import { checkFacts } from './check-facts.ts';
import type { Row } from '../contracts/json.ts';
import { textOf } from './row-text.ts';
import { changesOf } from './sql/postgres/changes/index.ts';
import { sqlDialects } from './sql/dialect.ts';
import { findingsOf } from './strategies/classify.ts';

type Looks = Readonly<Record<string, LookResult>>;

/** Says what the preflight saw, all of it at once. One `refused` ends the deployment with nothing touched. */
export function judgePreflight(plan: TablePlan, looks: Looks, rows: CheckFacts | null): readonly Finding[] {
  // expressions were judged on an empty table of the same columns; here every row is, in `everyRow`
  const seen = sqlDialects[plan.dialect].facts(plan.spec, looks);
  const facts = { ...seen, expressions: plan.facts.expressions, dependents: plan.facts.dependents ?? [] };
  const changes = changesOf(plan.spec, facts.columns);
  return [
    ...drift(plan, facts),
    ...dependentsDrift(plan, seen),
    ...checkFacts(plan.spec, facts).map(({ pointer, detail }) => ({ ...refused('PLAN_REFUSED', detail), pointer })),
    ...everyRow(rows),
    ...findingsOf(changes, facts).map((finding) => asTheRule(looks, finding)),
    ...longTransactions(looks),
    ...slots(looks),
    ...statements(looks),
    ...rowTypes(looks),
  ];
}

const refused = (code: string, detail: string): Finding => ({ code, level: 'refused', detail });
const unknown = (code: string, detail: string): Finding => ({ code, level: 'unknown', detail });

/** The rows of a look; null when it could not be made. */
export const rowsOf = (looks: Looks, id: string): readonly Row[] | null => {
  const result = looks[id];
  return result?.ok === true ? result.rows : null;
};

/** What is no longer as it was when the plan was made. */
function drift(plan: TablePlan, { oid, columns }: TableFacts): Finding[] {
  const name = `${plan.object.schema}.${plan.object.table}`;
  if (oid === null) return [];
  if (oid !== plan.object.oid) return [refused('TABLE_CHANGED', `${name} is not the table that the plan was made for`)];
  const now = columns.map((column) => `${column.name} ${column.type}`);
  return plan.facts.columns
    .map((column) => `${column.name} ${column.type}`)
    .filter((column) => !now.includes(column))
    .map((column) => refused('COLUMN_CHANGED', `column ${column} was there when the plan was made and is not now`));
}

/** What was made on a replaced column since then would be lost, and what is gone can't be brought along. */
function dependentsDrift({ facts }: TablePlan, { dependents }: TableFacts): Finding[] {
  if (facts.dependents === undefined) return [];
  if (dependents === undefined)
    return facts.dependents.length === 0
      ? []
      : [refused('DEPENDENT_CHANGED', 'what hangs on the columns can not be seen')];
  const words = (items: readonly DependentFacts[]): readonly string[] =>
    items.map(({ kind, description, original }) => `${kind} ${description} ${original ?? ''}`);
  const [then, now] = [words(facts.dependents), words(dependents)];
  const changed = [
    ...dependents.filter((_, index) => !then.includes(now[index] ?? '')),
    ...facts.dependents.filter((_, index) => !now.includes(then[index] ?? '')),
  ];
  return [...new Set(changed.map(({ description }) => description))].map((description) =>
    refused('DEPENDENT_CHANGED', `${description} is not as it was when the plan was made`),
  );
}

function everyRow(rows: CheckFacts | null): Finding[] {
  if (rows === null) return [];
  const { seen, wrong, lossy, keys } = rows;
  const findings: Finding[] = [];
  if (wrong > 0) {
    findings.push({
      ...refused('CONVERSION_FAILS', `${wrong} of ${seen} rows can not be converted up and down`),
      count: wrong,
      keys,
    });
  } else {
    findings.push({
      code: 'CONVERSION_HOLDS',
      level: 'noted',
      detail: `${seen} of ${seen} rows convert up and down`,
      count: seen,
    });
  }
  if (lossy > 0) {
    const detail = `${lossy} rows do not come back as they were from down(up(…)); the old column keeps their values`;
    findings.push({ code: 'ROUND_TRIP_LOSSY', level: 'warned', detail, count: lossy });
  }
  return findings;
}

function longTransactions(looks: Looks): Finding[] {
  const rows = rowsOf(looks, 'longTransactions');
  if (rows === null) return [unknown('LONG_TRANSACTIONS', 'other sessions can not be seen')];
  return rows.map((row) => {
    const holds = row['holds_table'] === true ? ' and holds the table: DDL waits for it' : ': it holds back pruning';
    const detail = `a transaction of ${textOf(row['application'])} has been open for ${Math.round(Number(row['seconds']))} s${holds}`;
    return { code: 'LONG_TRANSACTION', level: 'warned', detail } satisfies Finding;
  });
}

function slots(looks: Looks): Finding[] {
  const rows = rowsOf(looks, 'slots');
  if (rows === null) return [unknown('REPLICATION_SLOTS', 'replication slots can not be seen')];
  return rows
    .filter((row) => row['active'] !== true)
    .map((row): Finding => ({
      code: 'STALE_SLOT',
      level: 'warned',
      detail: `replication slot ${textOf(row['name'])} is not in use and holds back pruning`,
    }));
}

function statements(looks: Looks): Finding[] {
  const row = rowsOf(looks, 'statements')?.[0];
  if (row === undefined) {
    return [
      unknown(
        'READERS_UNSEEN',
        'pg_stat_statements is not there: applications that would notice a new column can not be seen',
      ),
    ];
  }
  const noticed = (count: number, code: string, what: string): Finding[] =>
    count > 0 ? [{ code, level: 'warned', detail: `${count} statements ${what}`, count }] : [];
  return [
    ...noticed(
      Number(row['select_star']),
      'SELECT_STAR',
      'read or return *: prepared ones fail when a column is added or dropped, until they are prepared anew',
    ),
    ...noticed(Number(row['positional']), 'POSITIONAL_WRITE', 'write without a list of columns'),
  ];
}

/** What is only possible elsewhere is to be expected where the database or a role says that it is the rule. */
function asTheRule(looks: Looks, finding: Finding): Finding {
  if (finding.code !== 'SNAPSHOT_WRITERS' || !(Number(rowsOf(looks, 'isolation')?.[0]?.['strict'] ?? 0) > 0))
    return finding;
  return { ...finding, level: 'warned', detail: `${finding.detail}; here such transactions are the default` };
}

function rowTypes(looks: Looks): Finding[] {
  const row = rowsOf(looks, 'rowTypes')?.[0];
  if (row === undefined) return [unknown('ROW_TYPE', "users of the table's row type can not be seen")];
  return Number(row['users']) > 0
    ? [
        {
          code: 'ROW_TYPE',
          level: 'warned',
          detail: "a function or column uses the table's row type and will see the new column",
        },
      ]
    : [];
}
