import { deepStrictEqual as same, ok as holds } from 'node:assert/strict';
import type { TablePlan } from '../../contracts/plan.ts';
import { RowOracle, type Row } from '../support/row-oracle.ts';
import { stageOf } from '../support/sql-world.ts';
import type { Sequence } from './operations.ts';
import type { Subject } from './subject.ts';
import { subjects } from './subjects.ts';
import type { Catalog, SeenTable } from './seen-table.ts';

/** What the oracle may be asked by everybody; only the model changes it. */
export type Verdicts = Readonly<
  Pick<RowOracle, 'wrong' | 'lossy' | 'losing' | 'unconvertible' | 'inconvertible' | 'roundTripLosses'>
>;

/** What must be in the table by now, and whether it is. */
export class Model {
  readonly #table: SeenTable;
  readonly #plan: TablePlan;
  readonly #sequence: Sequence;
  readonly #subject: Subject;
  readonly #oracle: RowOracle;
  #catalog: Catalog;
  #expanded = false;
  /** How often others than the deployment have changed the table. */
  #writes = 0;
  /** Something was done since everything was compared. */
  #isDirty = true;
  /** Columns that were NOT NULL and need not be when all is taken back. */
  #lost: readonly string[] = [];
  /** The last look at the way back has found something. */
  #counted = false;

  private constructor(table: SeenTable, plan: TablePlan, sequence: Sequence, oracle: RowOracle, catalog: Catalog) {
    this.#table = table;
    this.#plan = plan;
    this.#sequence = sequence;
    this.#subject = subjects[sequence.subject];
    this.#oracle = oracle;
    this.#catalog = catalog;
    this.#adoptCatalog();
  }

  static async begin(table: SeenTable, plan: TablePlan, sequence: Sequence, rows: readonly Row[]): Promise<Model> {
    const subject: Subject = subjects[sequence.subject];
    const oracle = new RowOracle(
      subject.rules,
      subject.columns.map(({ name }) => name),
      Object.fromEntries(subject.columns.map((column) => [column.name, column.default ?? null])),
      sequence.key !== 'none',
    );
    for (const row of rows) oracle.rows.set(row.ref, row);
    return new Model(table, plan, sequence, oracle, await table.catalog());
  }

  get verdicts(): Verdicts {
    return this.#oracle;
  }

  get size(): number {
    return this.#oracle.rows.size;
  }

  /** As it was seen last. */
  get catalog(): Catalog {
    return this.#catalog;
  }

  get writes(): number {
    return this.#writes;
  }

  get lost(): readonly string[] {
    return this.#lost;
  }

  get isExpanded(): boolean {
    return this.#expanded;
  }

  get columnIsGone(): boolean {
    return this.#expanded && this.#subject.added.some(({ name }) => !this.#catalog.columns.includes(name));
  }

  get isDrifted(): boolean {
    return this.#expanded && (this.#catalog.trigger !== 'A' || this.columnIsGone);
  }

  /** Rows that a backfill should have filled; what was written while our trigger was away is for the checks to find. */
  get waiting(): readonly number[] {
    const rows = [...this.#oracle.rows.values()].filter(({ ref }) => !this.#oracle.strayed.has(ref));
    return rows.filter((row) => Object.keys(this.#oracle.fillable(row)).length > 0).map(({ ref }) => ref);
  }

  // --- what others do

  /** What a transaction is tried on before it is known whether it is committed. */
  trial(): RowOracle {
    return this.#oracle.fork();
  }

  adopt(trial: RowOracle): void {
    this.#oracle.rows = trial.rows;
    this.#oracle.strayed = trial.strayed;
  }

  /** Of a transaction that was open while others were committed, only its own rows. */
  adoptOnly(refs: ReadonlySet<number>, trial: RowOracle): void {
    for (const ref of refs) {
      const row = trial.rows.get(ref);
      if (row === undefined) this.#oracle.rows.delete(ref);
      else this.#oracle.rows.set(ref, row);
      if (trial.strayed.has(ref)) this.#oracle.strayed.add(ref);
    }
  }

  truncate(): void {
    this.#oracle.rows.clear();
  }

  /** Others have changed the table. */
  disturbed(): void {
    this.#writes += 1;
    this.#isDirty = true;
  }

  /** The deployment may change the table from here on, or may have. */
  suspect(): void {
    this.#isDirty = true;
  }

  // --- what must hold

  /** Reads the whole table and the catalog; both must be what the oracle says. */
  async compare(): Promise<void> {
    if (!this.#isDirty) return;
    await this.look();
    const actual = await this.#table.rows(this.#oracle.columns);
    same(
      [...actual.keys()].toSorted(byNumber),
      [...this.#oracle.rows.keys()].toSorted(byNumber),
      'other rows are there',
    );
    for (const [ref, row] of this.#oracle.rows) this.#compareRow(row, actual.get(ref) ?? row);
    await this.#compareWayBack();
    this.#isDirty = false;
  }

  #compareRow(expected: Row, actual: Row): void {
    same(actual.key, expected.key, `row ${expected.ref} has another key`);
    const fillable = this.#oracle.expanded ? this.#oracle.fillable(expected) : {};
    const values: Record<string, string | null> = {};
    for (const column of this.#oracle.columns) {
      const is = actual.values[column] ?? null;
      const should = expected.values[column] ?? null;
      if (is !== should && is !== (fillable[column] ?? null))
        same(
          { [column]: is },
          { [column]: should, ...(column in fillable ? { or: fillable[column] } : {}) },
          `row ${expected.ref}: ${JSON.stringify(actual.values).slice(0, 300)}`,
        );
      values[column] = is;
    }
    this.#oracle.rows.set(expected.ref, { ...expected, values });
  }

  /** Never fewer than the rows that going back would lose. */
  async #compareWayBack(): Promise<void> {
    if (!this.#oracle.synced || !this.#catalog.home) return;
    const counted = await this.#table.misfits(stageOf(this.#plan, 'cutover').wayBack.sql);
    const losing = this.#oracle.losing.filter(({ ref }) => !this.#oracle.strayed.has(ref)).map(({ ref }) => ref);
    this.#counted = counted > 0;
    holds(counted >= losing.length, `going back would lose the rows ${losing.join(', ')}, and ${counted} are counted`);
  }

  // --- the catalog

  async look(): Promise<void> {
    this.#catalog = await this.#table.catalog();
    this.#adoptCatalog();
  }

  /** What the oracle has to know of the catalog to tell how a write ends. */
  #adoptCatalog(): void {
    const { columns, notNull, checked, trigger, home, altered } = this.#catalog;
    const oracle = this.#oracle;
    const cutOver = altered.includes('cutover');
    if (this.#expanded && !altered.includes('expand')) this.#lost = this.#lostColumns();
    this.#expanded = home && altered.includes('expand') && !altered.includes('contract');
    oracle.columns = columns;
    oracle.synced = trigger === 'A' || trigger === 'O';
    oracle.expanded = this.#expanded;
    oracle.lead = cutOver || this.#sequence.conflict === 'new-wins' ? 'new' : 'old';
    oracle.required = new Map([
      ...notNull.map((column) => [column, '23502'] as const),
      ...checked.map((column) => [column, '23514'] as const),
    ]);
  }

  /** Columns that stay nullable: going back has lost values of theirs, or nobody can tell that it has not. */
  #lostColumns(): readonly string[] {
    const rows = [...this.#oracle.rows.values()];
    const unsure = this.#counted && this.#sequence.key === 'none';
    return liftedOf(this.#subject).filter(
      (column) => unsure || rows.some(({ values }) => (values[column] ?? null) === null),
    );
  }
}

const byNumber = (a: number, b: number): number => a - b;
/** Columns that the change makes nullable until it is over. */
const liftedOf = ({ columns, dropped }: Subject): readonly string[] =>
  columns.filter(({ name, notNull }) => notNull === true && dropped.includes(name)).map(({ name }) => name);
