import { ok as holds } from 'node:assert/strict';
import type { Carrier } from './carrier.ts';
import type { Ground } from './ground.ts';
import type { Model } from './model.ts';
import type { Drift } from './operations.ts';
import type { Subject } from './subject.ts';
import type { Transactions } from './transactions.ts';

/** What people do to the table: behind the deployment's back, and when they are called. */
export class People {
  readonly #ground: Ground;
  readonly #table: string;
  readonly #subject: Subject;
  readonly #carrier: Carrier;
  readonly #model: Model;
  readonly #transactions: Transactions;

  constructor(
    ground: Ground,
    table: string,
    subject: Subject,
    carrier: Carrier,
    model: Model,
    transactions: Transactions,
  ) {
    this.#ground = ground;
    this.#table = table;
    this.#subject = subject;
    this.#carrier = carrier;
    this.#model = model;
    this.#transactions = transactions;
  }

  async drift(drift: Drift): Promise<void> {
    await this.#transactions.letGo(true);
    const sql = this.#driftSql(drift);
    if (sql === null) return;
    await this.#ground.owner.query(sql);
    this.#model.disturbed();
    if (drift === 'truncate') this.#model.truncate();
    await this.#model.look();
  }

  #driftSql(drift: Drift): string | null {
    const trigger = `zzz_lakeshift_${this.#carrier.plan.specHash.slice(0, 8)}`;
    const there = this.#model.catalog.trigger !== null;
    const [added] = this.#subject.added;
    switch (drift) {
      case 'disable trigger':
        return there ? `ALTER TABLE ${this.#table} DISABLE TRIGGER ${trigger}` : null;
      case 'enable trigger':
        return there ? `ALTER TABLE ${this.#table} ENABLE ALWAYS TRIGGER ${trigger}` : null;
      case 'drop trigger':
        return there ? `DROP TRIGGER ${trigger} ON ${this.#table}` : null;
      case 'drop column':
        // whose trigger is still there, breaks the application: who drops both breaks only us
        return there && added !== undefined && this.#carrier.outcome === 'under way'
          ? `DROP TRIGGER ${trigger} ON ${this.#table}; ALTER TABLE ${this.#table} DROP COLUMN ${added.name}`
          : null;
      case 'vacuum':
        return `VACUUM ${this.#table}`;
      case 'vacuum full':
        return `VACUUM FULL ${this.#table}`;
      case 'truncate':
        return `TRUNCATE ${this.#table}`;
    }
  }

  /** Somebody mends what the deployment was parked for, or takes it back where that can't be mended. */
  async mend(): Promise<void> {
    const { wrong, unconvertible, losing, inconvertible } = this.#model.verdicts;
    const rows = this.#model.isExpanded ? [...wrong, ...unconvertible, ...losing] : inconvertible;
    const refs = rows.map(({ ref }) => ref);
    if (this.#model.isDrifted || refs.length === 0) {
      holds(this.#carrier.back(), `nothing can be done about ${this.#carrier.parked ?? ''}`);
      return;
    }
    await this.#transactions.carryOut({
      write: { kind: 'delete', refs },
      sql: `DELETE FROM ${this.#table} WHERE ref IN (${refs.join(', ')})`,
    });
  }
}
