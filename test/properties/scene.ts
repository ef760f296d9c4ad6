import type { TablePlan } from '../../contracts/plan.ts';
import { planDeployment } from '../../decisions/plan-deployment.ts';
import { Application } from './application.ts';
import { Carrier } from './carrier.ts';
import { Claim } from './claim.ts';
import type { Ground } from './ground.ts';
import { makeTable } from './make-table.ts';
import { Model } from './model.ts';
import type { Sequence } from './operations.ts';
import { People } from './people.ts';
import { specOf, type Subject } from './subject.ts';
import { subjects } from './subjects.ts';
import { SeenTable } from './seen-table.ts';
import { Transactions } from './transactions.ts';

/** Everybody who takes part in one sequence. */
export interface Scene {
  readonly ground: Ground;
  readonly subject: Subject;
  readonly table: SeenTable;
  /** How the table was described before the start. */
  readonly original: readonly string[];
  readonly carrier: Carrier;
  readonly model: Model;
  readonly transactions: Transactions;
  readonly people: People;
  readonly claim: Claim;
  /** Adds a line to the story of the sequence. */
  readonly tell: (line: string) => void;
}

export async function openScene(ground: Ground, sequence: Sequence, tell: (line: string) => void): Promise<Scene> {
  const subject: Subject = subjects[sequence.subject];
  const name = ground.newTable();
  const rows = await makeTable(ground, subject, sequence, name);
  const plan = await planFor(ground, subject, sequence, name);
  const carrier = new Carrier(plan, `property-${name}-00000001`, ground.homeSchema, sequence);
  const table = new SeenTable(name, ground.eyes, sequence.key);
  const original = await table.describe();
  const model = await Model.begin(table, plan, sequence, rows);
  const application = new Application(subject, sequence.key, name, sequence.rows);
  const transactions = new Transactions(ground, model, application, tell);
  const people = new People(ground, name, subject, carrier, model, transactions);
  const claim = new Claim(ground, carrier, model);
  return { ground, subject, table, original, carrier, model, transactions, people, claim, tell };
}

async function planFor(ground: Ground, subject: Subject, sequence: Sequence, table: string): Promise<TablePlan> {
  const spec = specOf(subject, table, sequence.conflict);
  const { homeSchema } = ground;
  const form = JSON.stringify([sequence.subject, sequence.key, sequence.fillfactor]);
  const result = planDeployment({
    dialect: 'postgres',
    spec,
    facts: await ground.facts(form, table, spec),
    environment: 'test',
    taskQueue: 'q',
    homeSchema,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.plan;
}

/** Leaves nothing of the sequence to the next one. */
export async function clearScene({ ground, table }: Scene): Promise<void> {
  for (const client of [ground.holder, ground.app]) await client.query('ROLLBACK').catch(() => undefined);
  await ground.eyes.query(`DROP TABLE IF EXISTS ${table.name}; DROP SCHEMA IF EXISTS lakeshift CASCADE`);
}
