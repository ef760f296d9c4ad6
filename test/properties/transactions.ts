import { deepStrictEqual as same } from 'node:assert/strict';
import type pg from 'pg';
import type { RowOracle } from '../support/row-oracle.ts';
import type { Application, Statement } from './application.ts';
import type { Ground } from './ground.ts';
import type { Model } from './model.ts';
import type { WishedWrite } from './operations.ts';

interface Held {
  readonly oracle: RowOracle;
  readonly refs: Set<number>;
}

/** The application's transactions: each statement must end exactly as the oracle says. */
export class Transactions {
  readonly #ground: Ground;
  readonly #model: Model;
  readonly #application: Application;
  readonly #tell: (line: string) => void;
  #held: Held | null = null;

  constructor(ground: Ground, model: Model, application: Application, tell: (line: string) => void) {
    this.#ground = ground;
    this.#model = model;
    this.#application = application;
    this.#tell = tell;
  }

  /** One stays open and keeps the locks of its rows. */
  get oneIsHeld(): boolean {
    return this.#held !== null;
  }

  async transact(wishes: readonly WishedWrite[], commit: boolean): Promise<void> {
    const trial = this.#model.trial();
    const { app } = this.#ground;
    const alone = wishes.length === 1 && commit;
    if (!alone) await app.query('BEGIN');
    for (const wish of wishes) {
      const statement = this.#application.statement(wish, trial, this.#held?.refs ?? new Set());
      if (statement === null) continue;
      if (await this.#execute(app, statement, trial)) continue;
      if (!alone) await app.query('ROLLBACK');
      return;
    }
    if (!alone) await app.query(commit ? 'COMMIT' : 'ROLLBACK');
    if (commit) this.#model.adopt(trial);
  }

  /** One statement that is given as it is. */
  async carryOut(statement: Statement): Promise<void> {
    const trial = this.#model.trial();
    if (await this.#execute(this.#ground.app, statement, trial)) this.#model.adopt(trial);
  }

  async hold(wishes: readonly WishedWrite[]): Promise<void> {
    if (this.#held !== null || this.#model.columnIsGone) return;
    const trial = this.#model.trial();
    const refs = new Set<number>();
    await this.#ground.holder.query('BEGIN');
    for (const wish of wishes) {
      if (!['insert', 'update', 'touch', 'delete'].includes(wish.kind)) continue;
      const statement = this.#application.statement(wish, trial, new Set());
      if (statement === null) continue;
      if (!(await this.#execute(this.#ground.holder, statement, trial))) {
        await this.#ground.holder.query('ROLLBACK');
        return;
      }
      for (const ref of refsOf(statement)) refs.add(ref);
    }
    this.#held = { oracle: trial, refs };
  }

  async letGo(commit: boolean): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    await this.#ground.holder.query(commit ? 'COMMIT' : 'ROLLBACK');
    this.#model.disturbed();
    this.#held = null;
    if (commit) this.#model.adoptOnly(held.refs, held.oracle);
  }

  /** True: it was carried out. It must end exactly as the oracle says. */
  async #execute(client: pg.Client, { sql, write }: Statement, oracle: RowOracle): Promise<boolean> {
    const expected = oracle.write(write);
    this.#model.disturbed();
    let met: string | null = null;
    try {
      await client.query(sql);
    } catch (error) {
      met = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
    this.#tell(`    ${sql.replace(/x{9,}/g, 'x…')}${expected === null ? '' : ` -- ${expected}`}`);
    same(met, expected, `the application's statement ended with ${met ?? 'success'}, not ${expected ?? 'success'}`);
    return expected === null;
  }
}

const refsOf = ({ write }: Statement): readonly number[] => ('refs' in write ? write.refs : [write.ref]);
