import type { RowOracle, Value, Values, Write } from '../support/row-oracle.ts';
import type { WishedWrite } from './operations.ts';
import { keyKinds, type KeyKind } from './keys.ts';
import type { Subject } from './subject.ts';

/** A write of an application: what the oracle knows of it, and the statement. */
export interface Statement {
  readonly write: Write;
  readonly sql: string;
}

/** Turns wishes into statements on the rows and columns that are there. */
export class Application {
  readonly #subject: Subject;
  readonly #kind: KeyKind;
  readonly #table: string;
  #next: number;
  /** The row that was written last. */
  #last = 0;

  constructor(subject: Subject, kind: KeyKind, table: string, rows: number) {
    this.#subject = subject;
    this.#kind = kind;
    this.#table = table;
    this.#next = rows + 1;
  }

  /** Null: there is nothing that this wish could mean now. `held`: rows that another transaction has locked. */
  statement(wish: WishedWrite, oracle: RowOracle, held: ReadonlySet<number>): Statement | null {
    const refs = [...oracle.rows.keys()].filter((ref) => !held.has(ref));
    // often the row that was written last: mistakes like company
    const at =
      wish.pick % 3 === 0 && refs.includes(this.#last) ? this.#last : refs[wish.pick % Math.max(1, refs.length)];
    this.#last = at ?? this.#last;
    switch (wish.kind) {
      case 'insert':
        return this.#insert(wish, oracle);
      case 'upsert':
        return this.#upsert(wish, oracle, at, held);
      case 'many':
        return held.size > 0
          ? null
          : this.#update(
              refs.filter((ref) => ref % 3 === wish.pick % 3),
              wish,
              oracle,
            );
      case 'touch':
        return at === undefined ? null : this.#set([at], { note: 'x'.repeat((wish.values[0] ?? 0) * 2) });
      case 'update':
        return at === undefined ? null : this.#update([at], wish, oracle);
      case 'delete':
        return at === undefined
          ? null
          : of({ kind: 'delete', refs: [at] }, `DELETE FROM ${this.#table} WHERE ref = ${at}`);
      case 'rekey':
        return at === undefined ? null : this.#rekey(at, wish, oracle, held);
    }
  }

  #insert(wish: WishedWrite, oracle: RowOracle): Statement {
    const ref = this.#fresh();
    const key = keyKinds[this.#kind].of(ref);
    const given = this.#given(wish, oracle);
    this.#last = ref;
    return of({ kind: 'insert', ref, key, given }, this.#insertSql(ref, key, given));
  }

  #upsert(wish: WishedWrite, oracle: RowOracle, at: number | undefined, held: ReadonlySet<number>): Statement | null {
    const columns = keyKinds[this.#kind].columns;
    if (columns.length === 0 || held.size > 0) return null;
    const ref = this.#fresh();
    const there = at === undefined || wish.pick % 3 === 0 ? undefined : oracle.rows.get(at);
    const key = there?.key ?? keyKinds[this.#kind].of(ref);
    const given = this.#given(wish, oracle);
    const sets = Object.keys(given).filter((_, index) => index === 0 || (wish.values[3] ?? 0) % 2 === 0);
    const taken = sets.map((column) => `${column} = EXCLUDED.${column}`).join(', ');
    return of(
      { kind: 'upsert', ref, key, given, sets },
      `${this.#insertSql(ref, key, given)} ON CONFLICT (${columns.join(', ')}) DO UPDATE SET ${taken}`,
    );
  }

  #update(refs: readonly number[], wish: WishedWrite, oracle: RowOracle): Statement | null {
    const columns = this.#columns(wish, oracle);
    if (refs.length === 0) return null;
    const [first = 0, second = 0, third = 0, fourth = 0] = wish.values;
    const [one, two] = [columns[first % columns.length], columns[second % columns.length]];
    const chosen = wish.shape === 'both' ? [one, two] : [one];
    const sets = chosen.flatMap((column, index): [string, Value][] =>
      column === undefined ? [] : [[column, this.#value(column, [third, fourth][index] ?? 0)]],
    );
    return this.#set(refs, Object.fromEntries(sets));
  }

  #set(refs: readonly number[], sets: Values): Statement {
    const assignments = Object.entries(sets).map(([column, value]) => `${column} = ${literal(value)}`);
    return of(
      { kind: 'update', refs, sets },
      `UPDATE ${this.#table} SET ${assignments.join(', ')} WHERE ref IN (${refs.join(', ')})`,
    );
  }

  #rekey(ref: number, wish: WishedWrite, oracle: RowOracle, held: ReadonlySet<number>): Statement {
    const others = [...oracle.rows.values()];
    const taken = held.size === 0 && (wish.values[0] ?? 0) % 5 === 0;
    const other = taken ? others[(wish.values[1] ?? 0) % others.length] : undefined;
    const key = other?.key ?? keyKinds[this.#kind].of(this.#fresh());
    const names = keyNames(this.#kind);
    const sets = names.map((name, index) => `${name} = ${literal(key[index] ?? null)}`);
    return of({ kind: 'rekey', ref, key }, `UPDATE ${this.#table} SET ${sets.join(', ')} WHERE ref = ${ref}`);
  }

  /** Columns that the application of this shape names. */
  #columns({ shape }: WishedWrite, oracle: RowOracle): readonly string[] {
    const { columns, added, dropped } = this.#subject;
    const old = columns.map(({ name }) => name);
    const fresh = [...old.filter((name) => !dropped.includes(name)), ...added.map(({ name }) => name)];
    const named = { old, new: fresh, both: [...new Set([...fresh, ...old])] }[shape];
    return named.filter((name) => oracle.columns.includes(name));
  }

  #given(wish: WishedWrite, oracle: RowOracle): Values {
    const columns = this.#columns(wish, oracle);
    return Object.fromEntries(
      columns.map((column, index) => [column, this.#value(column, (wish.values[index % 4] ?? 0) + index)]),
    );
  }

  #value(column: string, pick: number): Value {
    const { columns, added } = this.#subject;
    const pool = [...columns, ...added].find(({ name }) => name === column)?.values ?? [];
    return pool[pick % pool.length] ?? null;
  }

  #insertSql(ref: number, key: readonly string[], given: Values): string {
    const names = ['ref', ...keyNames(this.#kind), ...Object.keys(given), 'pad'];
    const values = [String(ref), ...[...key, ...Object.values(given)].map(literal), `repeat('p', 400)`];
    return `INSERT INTO ${this.#table} (${names.join(', ')}) VALUES (${values.join(', ')})`;
  }

  #fresh(): number {
    this.#next += 1;
    return this.#next;
  }
}

const of = (write: Write, sql: string): Statement => ({ write, sql });

/** The columns that hold the key, also where the server does not know it for one. */
export const keyNames = (kind: KeyKind): readonly string[] => (kind === 'composite' ? ['region', 'no'] : ['id']);

/** A value as SQL. */
export const literal = (value: Value): string => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
