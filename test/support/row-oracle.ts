/**
 * What a table must hold while a change goes through it, told by the rules that the documentation states and by
 * nothing of our SQL: who leads, what a write of one shape does to the other, what does not fit.
 */

/** A column's value as PostgreSQL prints it. */
export type Value = string | null;
export type Values = Readonly<Record<string, Value>>;

/** What a conversion gives that raises an error. */
export const fails = Symbol('fails');
export type Converted = Value | typeof fails;

export interface Row {
  /** By which the test knows the row; its key may change. */
  readonly ref: number;
  readonly key: readonly string[];
  readonly values: Values;
}

/** Two columns that hold one value in two shapes. */
export interface PairRule {
  readonly kind: 'pair';
  readonly old: string;
  readonly fresh: string;
  readonly up: (value: Value) => Converted;
  readonly down: (value: Value) => Converted;
  readonly oldNotNull: boolean;
  /** The old column's constant default; an insert that leaves the column at it has not given it. */
  readonly oldDefault: Value;
  readonly refusesMisfits: boolean;
}

/** A column that gets a value where a writer left it empty. */
export interface FillRule {
  readonly kind: 'fill';
  readonly column: string;
  readonly value: (row: Values) => Converted;
  /** Which writes fill it. */
  readonly on: 'insert' | 'every write';
  /** How rows that stay empty are judged: as wrong always, only if there is a value for them, or not at all. */
  readonly emptyIsWrong: 'always' | 'with a value' | 'never';
  /** Rows that are there get it too. */
  readonly backfilled: boolean;
  /** Going back loses a row that stays empty. */
  readonly emptyIsLost: boolean;
}

export type Rule = PairRule | FillRule;

export type Write =
  | { readonly kind: 'insert'; readonly ref: number; readonly key: readonly string[]; readonly given: Values }
  | { readonly kind: 'update'; readonly refs: readonly number[]; readonly sets: Values }
  | { readonly kind: 'rekey'; readonly ref: number; readonly key: readonly string[] }
  | { readonly kind: 'delete'; readonly refs: readonly number[] }
  /** An insert that becomes an update of the row that has the key: `sets` says of which columns. */
  | {
      readonly kind: 'upsert';
      readonly ref: number;
      readonly key: readonly string[];
      readonly given: Values;
      readonly sets: readonly string[];
    };

/** SQLSTATEs by which an application's write may fail, each as it would without us or as the spec has agreed. */
type Refusal = '23502' | '23505' | '23514';

export class RowOracle {
  readonly rules: readonly Rule[];
  defaults: Values;
  readonly keyed: boolean;
  rows = new Map<number, Row>();
  #columns: readonly string[];
  /** The new shape is there. */
  expanded = false;
  /** Our trigger is there and fires. */
  synced = false;
  lead: 'old' | 'new' = 'old';
  /** Columns that may not be empty, and what a write that leaves them so fails with. */
  required = new Map<string, Refusal>();
  /** Rows that were written while our trigger was away. */
  strayed = new Set<number>();

  constructor(rules: readonly Rule[], columns: readonly string[], defaults: Values, keyed: boolean) {
    this.rules = rules;
    this.#columns = columns;
    this.defaults = defaults;
    this.keyed = keyed;
  }

  /** The same world, for a transaction that may not be committed. */
  fork(): RowOracle {
    const fork = new RowOracle(this.rules, this.columns, this.defaults, this.keyed);
    fork.rows = new Map(this.rows);
    fork.required = new Map(this.required);
    fork.strayed = new Set(this.strayed);
    fork.synced = this.synced;
    fork.expanded = this.expanded;
    fork.lead = this.lead;
    return fork;
  }

  /** Which columns there are. A default comes along to the column that stays alone, in the new shape. */
  set columns(columns: readonly string[]) {
    this.#columns = columns;
    for (const rule of this.rules) {
      if (rule.kind !== 'pair' || rule.oldDefault === null || columns.includes(rule.old)) continue;
      this.defaults = { ...this.defaults, [rule.fresh]: orNull(rule.up(rule.oldDefault)) };
    }
  }

  get columns(): readonly string[] {
    return this.#columns;
  }

  /** Carries out one statement of an application; a refused one changes nothing. */
  write(write: Write): Refusal | null {
    switch (write.kind) {
      case 'delete':
        for (const ref of write.refs) this.rows.delete(ref);
        return null;
      case 'insert':
        return this.#insert(write);
      case 'update':
        return this.#replace(
          this.#all(write.refs).map((row) => ({ ...row, values: { ...row.values, ...write.sets } })),
        );
      case 'rekey':
        return this.#replace(this.#all([write.ref]).map((row) => ({ ...row, key: write.key })));
      case 'upsert':
        return this.#upsert(write);
    }
  }

  #insert({ ref, key, given }: Extract<Write, { kind: 'insert' }>): Refusal | null {
    const values = Object.fromEntries(
      this.columns.map((column) => [
        column,
        given[column] ?? (column in given ? null : (this.defaults[column] ?? null)),
      ]),
    );
    return this.#put({ ref, key, values }, null);
  }

  #upsert({ ref, key, given, sets }: Extract<Write, { kind: 'upsert' }>): Refusal | null {
    const trial = this.fork();
    trial.rows = new Map();
    const refused = trial.#insert({ kind: 'insert', ref, key, given });
    if (refused !== null) return refused;
    const there = this.#withKey(key, ref);
    const excluded = trial.rows.get(ref);
    if (excluded === undefined) throw new Error('an insert that was not refused is there');
    if (there === undefined) return this.#put(excluded, null, true);
    const taken = Object.fromEntries(sets.map((column) => [column, excluded.values[column] ?? null]));
    return this.#replace([{ ...there, values: { ...there.values, ...taken } }]);
  }

  #replace(rows: readonly Row[]): Refusal | null {
    const trial = this.fork();
    for (const row of rows) {
      const refused = trial.#put(row, this.rows.get(row.ref) ?? null);
      if (refused !== null) return refused;
    }
    this.rows = trial.rows;
    this.strayed = trial.strayed;
    return null;
  }

  #put(row: Row, before: Row | null, settled = false): Refusal | null {
    const values = { ...row.values };
    const refused = this.synced && !settled ? this.#sync(values, before?.values ?? null) : null;
    if (refused !== null) return refused;
    for (const [column, code] of this.required) if ((values[column] ?? null) === null) return code;
    if (this.#withKey(row.key, row.ref) !== undefined) return '23505';
    this.rows.set(row.ref, { ...row, values });
    if (this.expanded && !this.synced) this.strayed.add(row.ref);
    return null;
  }

  #sync(values: Record<string, Value>, before: Values | null): Refusal | null {
    for (const rule of this.rules) {
      const refused = rule.kind === 'pair' ? syncPair(rule, values, before, this.lead) : fill(rule, values, before);
      if (refused !== null) return refused;
    }
    return null;
  }

  #all(refs: readonly number[]): readonly Row[] {
    return refs.flatMap((ref) => this.rows.get(ref) ?? []);
  }

  #withKey(key: readonly string[], except: number): Row | undefined {
    if (!this.keyed) return undefined;
    const text = JSON.stringify(key);
    return [...this.rows.values()].find((row) => row.ref !== except && JSON.stringify(row.key) === text);
  }

  /** What a backfill may write into a row: for each column that is empty and has a value, that value. */
  fillable(row: Row): Values {
    const filled: Record<string, Value> = {};
    for (const rule of this.rules) {
      if (rule.kind === 'fill' && !rule.backfilled) continue;
      const column = rule.kind === 'pair' ? rule.fresh : rule.column;
      if ((row.values[column] ?? null) !== null) continue;
      const value = converted(rule, row.values);
      if (value !== fails && value !== null) filled[column] = value;
    }
    return filled;
  }

  /** Rows that wait for a value that can't be computed. */
  get unconvertible(): readonly Row[] {
    return [...this.rows.values()].filter((row) =>
      this.rules.some((rule) => {
        if (rule.kind === 'fill' && !rule.backfilled) return false;
        const column = rule.kind === 'pair' ? rule.fresh : rule.column;
        return (row.values[column] ?? null) === null && converted(rule, row.values) === fails;
      }),
    );
  }

  /** Rows whose shapes do not agree. */
  get wrong(): readonly Row[] {
    return [...this.rows.values()].filter((row) => this.rules.some((rule) => isWrong(rule, row.values)));
  }

  /** Rows that hold something in the new shape that would not come back from the old one. */
  get lossy(): readonly Row[] {
    return [...this.rows.values()].filter((row) =>
      this.rules.some((rule) => rule.kind === 'pair' && losesGoingBack(rule, row.values)),
    );
  }

  /** Rows that going back loses, or finds incomplete. */
  get losing(): readonly Row[] {
    return [...this.rows.values()].filter((row) =>
      this.rules.some((rule) =>
        rule.kind === 'pair'
          ? losesGoingBack(rule, row.values)
          : rule.emptyIsLost && (row.values[rule.column] ?? null) === null,
      ),
    );
  }

  /** Rows that can't be converted there and back: nothing begins while there is one. */
  get inconvertible(): readonly Row[] {
    return [...this.rows.values()].filter((row) => this.rules.some((rule) => !isConvertible(rule, row.values)));
  }

  /** Rows that would not come back as they are from down(up(…)). */
  get roundTripLosses(): readonly Row[] {
    return [...this.rows.values()].filter((row) =>
      this.rules.some((rule) => {
        if (rule.kind === 'fill') return false;
        const old = row.values[rule.old] ?? null;
        const up = rule.up(old);
        return up !== fails && rule.down(up) !== old;
      }),
    );
  }
}

const converted = (rule: Rule, values: Values): Converted =>
  rule.kind === 'pair' ? rule.up(values[rule.old] ?? null) : rule.value(values);

function syncPair(
  rule: PairRule,
  values: Record<string, Value>,
  before: Values | null,
  lead: 'old' | 'new',
): Refusal | null {
  const given = givenBy(rule, values, before);
  const direction = directionOf(rule, values, given, lead);
  if (direction === 'up') values[rule.fresh] = orNull(rule.up(values[rule.old] ?? null));
  if (direction === 'down') values[rule.old] = orNull(rule.down(values[rule.fresh] ?? null));
  if (rule.refusesMisfits && given.fresh && direction !== 'up' && losesGoingBack(rule, values)) return '23514';
  const empty = (values[rule.old] ?? null) === null && (values[rule.fresh] ?? null) === null;
  return empty && rule.oldNotNull ? '23502' : null;
}

interface Given {
  readonly old: boolean;
  readonly fresh: boolean;
}

/** Which of the two a write has set. */
function givenBy(rule: PairRule, values: Values, before: Values | null): Given {
  const fresh = values[rule.fresh] ?? null;
  const old = values[rule.old] ?? null;
  return before === null
    ? { fresh: fresh !== null, old: old !== null && old !== rule.oldDefault }
    : { fresh: fresh !== (before[rule.fresh] ?? null), old: old !== (before[rule.old] ?? null) };
}

/** Which side the other one follows: the one that the write has set; the one that leads, where it has set both apart. */
function directionOf(rule: PairRule, values: Values, given: Given, lead: 'old' | 'new'): 'up' | 'down' | null {
  const fresh = values[rule.fresh] ?? null;
  const old = values[rule.old] ?? null;
  if (given.fresh && given.old) {
    const agree = fresh === orNull(rule.up(old)) || old === orNull(rule.down(fresh));
    if (agree) return null;
    return lead === 'old' ? 'up' : 'down';
  }
  if (given.fresh) return 'down';
  // a row that is not converted yet is converted by whatever is written to it
  return given.old || fresh === null ? 'up' : null;
}

function fill(rule: FillRule, values: Record<string, Value>, before: Values | null): null {
  if (rule.on === 'insert' && before !== null) return null;
  if ((values[rule.column] ?? null) === null) values[rule.column] = orNull(rule.value(values));
  return null;
}

const orNull = (value: Converted): Value => (value === fails ? null : value);

function isWrong(rule: Rule, values: Values): boolean {
  if (rule.kind === 'fill') {
    if ((values[rule.column] ?? null) !== null || rule.emptyIsWrong === 'never') return false;
    return rule.emptyIsWrong === 'always' || rule.value(values) !== null;
  }
  const fresh = values[rule.fresh] ?? null;
  const old = values[rule.old] ?? null;
  if (old === null && fresh === null) return rule.oldNotNull;
  if (rule.up(old) === fresh) return false;
  if (fresh === null) return true;
  const down = rule.down(fresh);
  // what the old shape can't hold is held by the new one alone
  return down === fails ? old !== null : down !== old;
}

function isConvertible(rule: Rule, values: Values): boolean {
  if (rule.kind === 'fill') {
    if (!rule.backfilled) return true;
    const value = rule.value(values);
    return (
      value !== fails && (value !== null || rule.emptyIsWrong !== 'always' || (values[rule.column] ?? null) !== null)
    );
  }
  const up = rule.up(values[rule.old] ?? null);
  return up !== fails && rule.down(up) !== fails;
}

const losesGoingBack = (rule: PairRule, values: Values): boolean =>
  (values[rule.fresh] ?? null) !== null && rule.up(values[rule.old] ?? null) !== values[rule.fresh];
