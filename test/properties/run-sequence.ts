import { deepStrictEqual as same, ok as holds } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { BackfillFacts, CheckFacts } from '../../contracts/activities.ts';
import { planDeployment } from '../../decisions/plan-deployment.ts';
import { RowOracle, type Row, type Values } from '../support/row-oracle.ts';
import { openWire, type Fate } from '../support/scripted-wire.ts';
import { stageOf } from '../support/sql-world.ts';
import { Application, keyNames, literal, type Statement } from './application.ts';
import { Carrier, type Effect } from './carrier.ts';
import { Ground, type Ending } from './ground.ts';
import type { Drift, Event, Happening, Operation, Sequence, WishedWrite } from './operations.ts';
import { keyKinds, specOf, subjects, type Subject } from './scenarios.ts';

/** Runs one sequence on a table of its own; throws with its whole story when something is not as the oracle says. */
export async function runSequence(ground: Ground, sequence: Sequence): Promise<void> {
  const run = await SequenceRun.begin(ground, sequence);
  try {
    for (let effects = 0; effects < sequence.head; effects++) await run.carryOut({ do: 'go', events: [] });
    for (const operation of sequence.operations) await run.carryOut(operation);
    await run.finish();
  } catch (error) {
    const story = run.story.map((line) => `  ${line}`).join('\n');
    const because = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`${because}\n\n${story}\n`);
  } finally {
    await run.clear();
  }
}

/** What was seen of the catalog. */
interface Catalog {
  readonly columns: readonly string[];
  readonly notNull: readonly string[];
  /** Columns that a check of ours keeps from being empty. */
  readonly checked: readonly string[];
  /** `tgenabled` of our trigger, or null. */
  readonly trigger: string | null;
  /** Our schema is there. */
  readonly home: boolean;
  /** What the claim says has been altered. */
  readonly altered: readonly string[];
}

interface Held {
  readonly oracle: RowOracle;
  readonly refs: Set<number>;
}

/** What happened during one effect, as far as its ending depends on it. */
interface Circumstances {
  readonly faults: string[];
  /** Orders that may reach the target only once the effect has let go of its row there. */
  readonly orders: Promise<void>[];
  superseded: string | null;
  drifted: boolean;
}

/** How it stood before an effect. */
interface Before {
  readonly unconvertible: boolean;
  /** Rows that wait for the backfill. */
  readonly waiting: number;
  readonly drifted: boolean;
  readonly columnIsGone: boolean;
  readonly paused: boolean;
}

const interruptible = ['backfill', 'checkRows'];

class SequenceRun {
  readonly story: string[] = [];
  readonly #ground: Ground;
  readonly #sequence: Sequence;
  readonly #subject: Subject;
  readonly #table: string;
  readonly #carrier: Carrier;
  readonly #oracle: RowOracle;
  readonly #application: Application;
  readonly #original: readonly string[];
  /** Effects that were delivered, with how often the table had been written by others when they first were. */
  readonly #delivered = new Map<Effect, number>();
  #catalog: Catalog;
  #held: Held | null = null;
  #paused = false;
  /** How often others than the deployment have changed the table. */
  #writes = 0;
  /** Something was done since everything was compared. */
  #isDirty = true;
  /** Columns that were NOT NULL and need not be when all is taken back. */
  #lost: readonly string[] = [];
  /** The last look at the way back has found something. */
  #counted = false;

  private constructor(
    ground: Ground,
    sequence: Sequence,
    table: string,
    carrier: Carrier,
    oracle: RowOracle,
    original: readonly string[],
    catalog: Catalog,
  ) {
    this.#ground = ground;
    this.#sequence = sequence;
    this.#subject = subjects[sequence.subject];
    this.#table = table;
    this.#carrier = carrier;
    this.#oracle = oracle;
    this.#original = original;
    this.#catalog = catalog;
    this.#application = new Application(this.#subject, sequence.key, table, sequence.rows);
  }

  static async begin(ground: Ground, sequence: Sequence): Promise<SequenceRun> {
    const subject: Subject = subjects[sequence.subject];
    const table = ground.newTable();
    const rows = initialRows(subject, sequence);
    await ground.owner.query(createTable(subject, sequence, table));
    await ground.owner.query(insertAll(subject, sequence, table, rows));
    const spec = specOf(subject, table, sequence.conflict);
    const { homeSchema } = ground;
    const facts = await ground.facts(
      JSON.stringify([sequence.subject, sequence.key, sequence.fillfactor]),
      table,
      spec,
    );
    const result = planDeployment({
      dialect: 'postgres',
      spec,
      facts,
      environment: 'test',
      taskQueue: 'q',
      homeSchema,
    });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const oracle = new RowOracle(
      subject.rules,
      subject.columns.map(({ name }) => name),
      Object.fromEntries(subject.columns.map((column) => [column.name, column.default ?? null])),
      sequence.key !== 'none',
    );
    for (const row of rows) oracle.rows.set(row.ref, row);
    const carrier = new Carrier(result.plan, `property-${table}-00000001`, homeSchema, sequence);
    const original = await describeTable(ground.eyes, table);
    const run = new SequenceRun(ground, sequence, table, carrier, oracle, original, await lookAt(ground, table));
    run.#adoptCatalog();
    return run;
  }

  /** One operation, and then everything that must hold at any moment. */
  async carryOut(operation: Operation): Promise<void> {
    this.story.push(JSON.stringify(operation));
    await this.#perform(operation);
    await this.#compare();
  }

  async #perform(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'write':
        return this.#transact([operation.write], true);
      case 'transaction':
        return this.#transact(operation.writes, operation.commit);
      case 'hold':
        return this.#hold(operation.writes);
      case 'let go':
        return this.#letGo(operation.commit);
      case 'go':
        return this.#go(operation.events);
      case 'twice':
        return this.#twice();
      case 'late':
        return this.#late(operation.pick);
      case 'pause':
      case 'resume':
        return this.#steer(operation.do === 'pause');
      case 'back':
        this.#turnBack();
        return;
      case 'rival':
        return this.#rival();
      case 'drift':
        return this.#drift(operation.drift);
    }
  }

  /** Drives the deployment to its end and looks at what is left. */
  async finish(): Promise<void> {
    await this.#letGo(true);
    await this.#steer(false);
    await this.#drift('enable trigger');
    if (this.#sequence.ending === 'rollback') this.#turnBack();
    for (let efforts = 0; this.#carrier.outcome === 'under way'; efforts++) {
      holds(efforts < 60, `the deployment does not end; parked: ${this.#carrier.parked ?? 'no'}`);
      // between a drop that has begun and values that are gone nothing but a person can decide
      if (this.#carrier.parked === 'TARGET_DRIFTED' && this.#columnIsGone && !this.#carrier.back()) return;
      if (this.#carrier.parked !== null) await this.#mend();
      await this.#go([]);
      await this.#compare();
    }
    await this.#judgeEnd();
    for (const shape of ['old', 'new'] as const) {
      await this.#transact([{ kind: 'insert', shape, pick: 1, values: [1, 2, 3, 4] }], true);
      await this.#transact([{ kind: 'many', shape, pick: 1, values: [1, 2, 3, 4] }], true);
    }
    await this.#compare();
  }

  async clear(): Promise<void> {
    for (const client of [this.#ground.holder, this.#ground.app]) await client.query('ROLLBACK').catch(() => undefined);
    await this.#ground.eyes.query(`DROP TABLE IF EXISTS ${this.#table}; DROP SCHEMA IF EXISTS lakeshift CASCADE`);
  }

  // --- the application

  async #transact(wishes: readonly WishedWrite[], commit: boolean): Promise<void> {
    const trial = this.#oracle.fork();
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
    if (commit) this.#adoptRows(trial);
  }

  /** True: it was carried out. It must end exactly as the oracle says. */
  async #execute(client: pg.Client, { sql, write }: Statement, oracle: RowOracle): Promise<boolean> {
    const expected = oracle.write(write);
    this.#disturbed();
    let met: string | null = null;
    try {
      await client.query(sql);
    } catch (error) {
      met = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
    this.story.push(`    ${sql.replace(/x{9,}/g, 'x…')}${expected === null ? '' : ` -- ${expected}`}`);
    same(met, expected, `the application's statement ended with ${met ?? 'success'}, not ${expected ?? 'success'}`);
    return expected === null;
  }

  #adoptRows(oracle: RowOracle): void {
    this.#oracle.rows = oracle.rows;
    this.#oracle.strayed = oracle.strayed;
  }

  async #hold(wishes: readonly WishedWrite[]): Promise<void> {
    if (this.#held !== null || this.#columnIsGone) return;
    const trial = this.#oracle.fork();
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

  async #letGo(commit: boolean): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    await this.#ground.holder.query(commit ? 'COMMIT' : 'ROLLBACK');
    this.#disturbed();
    this.#held = null;
    if (!commit) return;
    for (const ref of held.refs) {
      const row = held.oracle.rows.get(ref);
      if (row === undefined) this.#oracle.rows.delete(ref);
      else this.#oracle.rows.set(ref, row);
      if (held.oracle.strayed.has(ref)) this.#oracle.strayed.add(ref);
    }
  }

  // --- the deployment

  async #go(events: readonly Event[]): Promise<void> {
    const effect = this.#carrier.next();
    if (effect === null) return;
    if (!interruptible.includes(effect.activity)) await this.#letGo(true);
    const circumstances: Circumstances = { faults: [], orders: [], superseded: null, drifted: this.#isDrifted };
    const before = await this.#prepare(effect);
    const ending = await this.#deliver(effect, events, circumstances);
    await this.#judge(effect, ending, circumstances, before);
  }

  /** What is compared with afterwards. */
  async #prepare(effect: Effect): Promise<Before> {
    if (!this.#delivered.has(effect)) this.#delivered.set(effect, this.#writes);
    await this.#compare();
    this.#isDirty = true;
    return {
      unconvertible: this.#oracle.unconvertible.length > 0,
      waiting: this.#waiting().length,
      drifted: this.#isDrifted,
      columnIsGone: this.#columnIsGone,
      paused: this.#paused,
    };
  }

  async #deliver(effect: Effect, events: readonly Event[], circumstances: Circumstances): Promise<Ending> {
    const { activity, input } = effect;
    if (events.length === 0) return this.#told(effect, await Ground.deliver(activity, input, this.#ground.url));
    const broken: unknown[] = [];
    const most = interruptible.includes(activity) ? 40 : 14;
    const fateOf = async (number: number): Promise<Fate> => {
      let fate: Fate = 'pass';
      for (const { at, happens } of events) {
        if (((at - 1) % most) + 1 !== number || broken.length > 0) continue;
        try {
          fate = await this.#happen(effect, happens, number, circumstances);
        } catch (error) {
          broken.push(error);
        }
      }
      return broken.length > 0 ? 'cut' : fate;
    };
    const fates: Promise<Fate>[] = [];
    const wire = await openWire(this.#ground.url, ({ number }) => {
      const fate = fateOf(number);
      fates.push(fate);
      return fate;
    });
    try {
      const ending = await Ground.deliver(activity, input, wire.url);
      // an effect of several sessions may end while what happens to one of them is still under way
      await Promise.all(fates);
      await Promise.all(circumstances.orders);
      if (broken.length > 0) throw broken[0];
      return this.#told(effect, ending);
    } finally {
      await wire.close();
    }
  }

  #told(effect: Effect, ending: Ending): Ending {
    this.story.push(`    ${effect.what} #${effect.turn}: ${ending.ok ? JSON.stringify(ending.facts) : ending.failure}`);
    return ending;
  }

  async #happen(effect: Effect, happening: Happening, number: number, circumstances: Circumstances): Promise<Fate> {
    this.story.push(`    before statement ${number}: ${JSON.stringify(happening)}`);
    if (happening.is === 'cut' || happening.is === 'lose' || happening.is === 'orphan') {
      circumstances.faults.push(happening.is);
      return happening.is;
    }
    if (happening.is === 'terminate') {
      circumstances.faults.push('terminate');
      await this.#ground.eyes.query(
        `SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE $1`,
        [`lakeshift ${this.#carrier.deployment}%`],
      );
      return 'pass';
    }
    if (interruptible.includes(effect.activity)) await this.#meanwhile(happening, circumstances);
    return 'pass';
  }

  async #meanwhile(happening: Happening, circumstances: Circumstances): Promise<void> {
    switch (happening.is) {
      case 'pause':
        circumstances.orders.push(this.#steer(true));
        return Promise.race([...circumstances.orders, sleep(300)]);
      case 'let go':
        return this.#letGo(happening.commit);
      case 'drift':
        await this.#drift(happening.drift);
        circumstances.drifted ||= this.#isDrifted;
        return;
      case 'supersede':
        return this.#supersede(circumstances);
      case 'write':
        this.#disturbed();
        await this.#compare();
        await this.#transact([happening.write], true);
        if (circumstances.superseded !== null) circumstances.superseded = await this.#picture();
        return;
      case 'cut':
      case 'lose':
      case 'orphan':
      case 'terminate':
        throw new Error(`${happening.is} is no doing of others`);
    }
  }

  /** What an abort does while the effect is under way: from here on it changes nothing. */
  async #supersede(circumstances: Circumstances): Promise<void> {
    if (!this.#carrier.back()) return;
    const raised = await Ground.deliver('raiseFence', { site: this.#carrier.site() }, this.#ground.url);
    holds(raised.ok, 'the fence could not be raised');
    circumstances.superseded = await this.#picture();
  }

  async #judge(effect: Effect, ending: Ending, circumstances: Circumstances, before: Before): Promise<void> {
    const { superseded, faults } = circumstances;
    this.#isDirty = true;
    if (superseded !== null) same(await this.#picture(), superseded, 'an effect was felt after its fence was raised');
    await this.#compare();
    const unconvertible = before.unconvertible || this.#oracle.unconvertible.length > 0;
    if (ending.ok) {
      const unseen =
        (before.drifted && this.#isDrifted && ['backfill', 'cutover'].includes(effect.what)) ||
        (before.columnIsGone && effect.what === 'contract');
      holds(!unseen, `${effect.what} has not noticed that our trigger or column is gone`);
      this.#carrier.take(effect, ending.facts);
      this.#judgeFacts(effect, ending.facts, before);
      return;
    }
    const excused =
      (ending.failure === 'TARGET_UNREACHABLE' && (faults.length > 0 || superseded !== null)) ||
      (['FENCED', 'LOCK_NOT_ACQUIRED'].includes(ending.failure) && superseded !== null) ||
      (ending.failure === 'TARGET_DRIFTED' && circumstances.drifted) ||
      (ending.failure === 'SQL_FAILED' && this.#columnIsGone) ||
      (ending.failure === 'SQL_FAILED' && effect.what === 'backfill' && unconvertible) ||
      (ending.failure === 'SQL_FAILED' && effect.what === 'cutover: long' && this.#oracle.wrong.length > 0);
    holds(excused, `${effect.what} failed with ${ending.failure}, and nothing was there to excuse it`);
    if (ending.failure !== 'TARGET_UNREACHABLE' && superseded === null) this.#carrier.park(ending.failure);
  }

  #judgeFacts(effect: Effect, facts: unknown, before: Before): void {
    const quiet = this.#writes === this.#delivered.get(effect) && this.#held === null;
    if (effect.activity === 'checkRows' && quiet) this.#judgeCheck(effect, facts as CheckFacts);
    if (effect.activity !== 'backfill') return;
    const { finished, paused } = facts as BackfillFacts;
    const left = this.#waiting();
    if (finished) same(left, [], 'rows were left behind by a backfill that says that it is finished');
    if (!before.paused || !this.#paused) return;
    holds(paused, 'a backfill has not seen that it is paused');
    if (quiet) same(left.length, before.waiting, 'a paused backfill has changed rows');
  }

  #judgeCheck({ what }: Effect, facts: CheckFacts): void {
    const oracle = this.#oracle;
    const [wrong, lossy] =
      what === 'preflight' ? [oracle.inconvertible, oracle.roundTripLosses] : [oracle.wrong, oracle.lossy];
    same(facts.finished, true);
    same(facts.seen, oracle.rows.size, `${what} has not seen every row once`);
    same(facts.wrong, wrong.length, `${what} counts other rows as wrong than the oracle`);
    if (wrong.length === 0) same(facts.lossy, lossy.length, `${what} counts other rows as lossy than the oracle`);
  }

  /** Rows that a backfill should have filled; what was written while our trigger was away is for the checks to find. */
  #waiting(): readonly number[] {
    const rows = [...this.#oracle.rows.values()].filter(({ ref }) => !this.#oracle.strayed.has(ref));
    return rows.filter((row) => Object.keys(this.#oracle.fillable(row)).length > 0).map(({ ref }) => ref);
  }

  async #twice(): Promise<void> {
    const effect = this.#carrier.next();
    if (effect === null) return;
    if (!interruptible.includes(effect.activity)) await this.#letGo(true);
    const before = await this.#prepare(effect);
    const circumstances: Circumstances = { faults: [], orders: [], superseded: null, drifted: this.#isDrifted };
    const endings = await Promise.all(
      [1, 2].map(() => Ground.deliver(effect.activity, effect.input, this.#ground.url)),
    );
    for (const ending of endings) this.#told(effect, ending);
    const [best, other] = endings.toSorted((a, b) => rank(a) - rank(b));
    holds(best !== undefined && !isFenced(best), 'both deliveries were fenced off');
    await this.#judge(effect, best, circumstances, before);
    // two that validate the same constraint get in each other's way
    const clash = effect.activity === 'alterLong';
    if (other !== undefined && !isFenced(other) && !clash)
      same(other.ok, best.ok, `one delivery failed: ${best.ok && !other.ok ? other.failure : ''}`);
  }

  /** An effect of an older turn comes again: it is refused and changes nothing. */
  async #late(pick: number): Promise<void> {
    const seen = await this.#latestTurn();
    if (seen === null) return;
    const fencedOnes = ['alter', 'alterLong', 'backfill', 'checkRows'];
    const old = [...this.#delivered.keys()].filter(
      ({ activity, turn }) => fencedOnes.includes(activity) && turn < seen,
    );
    const effect = old[pick % Math.max(1, old.length)];
    if (effect === undefined) return;
    const before = await this.#picture();
    const ending = this.#told(effect, await Ground.deliver(effect.activity, effect.input, this.#ground.url));
    same(
      ending,
      { ok: false, failure: 'FENCED' },
      `${effect.what} of turn ${effect.turn} came late and was not refused`,
    );
    same(await this.#picture(), before, `${effect.what} of turn ${effect.turn} came late and was felt`);
  }

  async #latestTurn(): Promise<number | null> {
    if (!this.#catalog.home) return null;
    const { rows } = await this.#ground.eyes.query<{ turn: string }>(
      'SELECT turn FROM lakeshift.claims WHERE deployment = $1',
      [this.#carrier.deployment],
    );
    // the target counts deliveries: a thousand to each turn
    return rows[0] === undefined ? null : Math.floor(Number(rows[0].turn) / 1_000);
  }

  async #steer(paused: boolean): Promise<void> {
    if (!this.#catalog.home || this.#carrier.outcome !== 'under way') return;
    const turn = (await this.#latestTurn()) ?? 0;
    const site = this.#carrier.site(turn);
    const ending = await Ground.deliver('steer', { site, paused, rate: null }, this.#ground.url);
    same(ending.ok, true, 'a pause could not be told');
    this.#paused = paused;
  }

  #turnBack(): void {
    this.#carrier.back();
  }

  async #rival(): Promise<void> {
    if ((await this.#latestTurn()) === null || this.#carrier.outcome !== 'under way') return;
    const { plan, deployment } = this.#carrier;
    const site = { ...this.#carrier.site(1), deployment: 'rival-00000001' };
    const ending = await Ground.deliver('claim', { site, plan }, this.#ground.url);
    same(ending, { ok: true, facts: { held: false, holder: deployment } }, 'two deployments hold one table');
  }

  // --- others

  async #drift(drift: Drift): Promise<void> {
    await this.#letGo(true);
    const sql = this.#driftSql(drift);
    if (sql === null) return;
    await this.#ground.owner.query(sql);
    this.#disturbed();
    if (drift === 'truncate') this.#oracle.rows.clear();
    await this.#look();
  }

  #driftSql(drift: Drift): string | null {
    const trigger = `zzz_lakeshift_${this.#carrier.plan.specHash.slice(0, 8)}`;
    const there = this.#catalog.trigger !== null;
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

  get #columnIsGone(): boolean {
    return this.#expanded && this.#subject.added.some(({ name }) => !this.#catalog.columns.includes(name));
  }

  #expanded = false;

  get #isDrifted(): boolean {
    return this.#expanded && (this.#catalog.trigger !== 'A' || this.#columnIsGone);
  }

  /** Somebody mends what the deployment was parked for, or takes it back where that can't be mended. */
  async #mend(): Promise<void> {
    const bad = [...this.#oracle.wrong, ...this.#oracle.unconvertible, ...this.#oracle.losing];
    const rows = this.#expanded ? bad : this.#oracle.inconvertible;
    const refs = rows.map(({ ref }) => ref);
    if (this.#isDrifted || refs.length === 0) {
      holds(this.#carrier.back(), `nothing can be done about ${this.#carrier.parked ?? ''}`);
      return;
    }
    await this.#execute(
      this.#ground.app,
      { write: { kind: 'delete', refs }, sql: `DELETE FROM ${this.#table} WHERE ref IN (${refs.join(', ')})` },
      this.#oracle,
    );
  }

  // --- what must hold

  /** Reads the whole table and the catalog; both must be what the oracle says. */
  async #compare(): Promise<void> {
    if (!this.#isDirty) return;
    await this.#look();
    const actual = await this.#rows();
    same(
      [...actual.keys()].toSorted(byNumber),
      [...this.#oracle.rows.keys()].toSorted(byNumber),
      'other rows are there',
    );
    for (const [ref, row] of this.#oracle.rows) this.#compareRow(row, actual.get(ref) ?? row);
    await this.#compareWayBack();
    this.#isDirty = false;
  }

  #disturbed(): void {
    this.#writes += 1;
    this.#isDirty = true;
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
    const { rows } = await this.#ground.eyes.query<{ misfits: number }>(
      stageOf(this.#carrier.plan, 'cutover').wayBack.sql,
    );
    const losing = this.#oracle.losing.filter(({ ref }) => !this.#oracle.strayed.has(ref)).map(({ ref }) => ref);
    const counted = Number(rows[0]?.misfits);
    this.#counted = counted > 0;
    holds(counted >= losing.length, `going back would lose the rows ${losing.join(', ')}, and ${counted} are counted`);
  }

  async #look(): Promise<void> {
    this.#catalog = await lookAt(this.#ground, this.#table);
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

  async #rows(): Promise<Map<number, Row>> {
    const keys = keyNames(this.#sequence.key);
    const { columns } = this.#oracle;
    const texts = [...keys, ...columns].map((name) => `${name}::text`);
    const { rows } = await this.#ground.eyes.query<(string | null)[]>({
      text: `SELECT ref::text, ${texts.join(', ')} FROM ${this.#table}`,
      rowMode: 'array',
    });
    return new Map(
      rows.map(([ref, ...rest]) => {
        const values: Values = Object.fromEntries(
          columns.map((name, index) => [name, rest[keys.length + index] ?? null]),
        );
        return [Number(ref), { ref: Number(ref), key: rest.slice(0, keys.length).map(String), values }];
      }),
    );
  }

  /** Everything that an effect which must not be felt could have changed. */
  async #picture(): Promise<string> {
    const { rows } = await this.#ground.eyes.query<{ picture: string }>(
      `SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) || (SELECT string_agg(p::text, ',' ORDER BY stage) FROM lakeshift.progress AS p)
       || (SELECT string_agg(altered::text, ',') FROM lakeshift.claims) AS picture FROM ${this.#table} AS t`,
    );
    return JSON.stringify([rows[0]?.picture, await describeTable(this.#ground.eyes, this.#table)]);
  }

  async #judgeEnd(): Promise<void> {
    const now = await describeTable(this.#ground.eyes, this.#table);
    same(this.#catalog.home, false, 'our schema is still there');
    if (this.#carrier.outcome === 'rolled back') {
      const lifted = this.#lost;
      const asFarAsKnown = (lines: readonly string[]): readonly string[] =>
        lines
          .map((line) =>
            lifted.some((name) => line.startsWith(`column ${name} `)) ? line.replace(' not null', '') : line,
          )
          .filter((line) => !lifted.some((name) => line.includes(`_${name}_not_null`)));
      same(asFarAsKnown(now), asFarAsKnown(this.#original), 'the table is not as it was');
      return;
    }
    const { dropped, added, madeNotNull } = this.#subject;
    const columns = now.filter((line) => line.startsWith('column')).map((line) => line.split(' ')[1] ?? '');
    const before = this.#original.filter((line) => line.startsWith('column')).map((line) => line.split(' ')[1] ?? '');
    same(
      columns.toSorted(),
      [...before.filter((name) => !dropped.includes(name)), ...added.map(({ name }) => name)].toSorted(),
      'other columns are there after the contract',
    );
    for (const name of madeNotNull) holds(this.#catalog.notNull.includes(name), `${name} is not NOT NULL`);
    same(
      now.filter((line) => /lakeshift|^trigger/.test(line)),
      [],
      'something of ours is left behind',
    );
  }
}

/** The catalog as the test needs it. */
async function lookAt({ eyes }: Ground, table: string): Promise<Catalog> {
  const { rows } = await eyes.query<Omit<Catalog, 'altered'>>(
    `SELECT to_jsonb(array_agg(attname ORDER BY attnum) FILTER (WHERE attname <> ALL ('{ref,pad,id,region,no}'))) AS columns,
       coalesce(to_jsonb(array_agg(attname) FILTER (WHERE attnotnull AND attname <> ALL ('{id,region,no}'))), '[]') AS "notNull",
       (SELECT coalesce(jsonb_agg(a.attname), '[]') FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
         WHERE c.conrelid = $1::regclass AND c.contype = 'c') AS checked,
       (SELECT tgenabled FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal) AS trigger,
       to_regclass('lakeshift.claims') IS NOT NULL AS home
     FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [table],
  );
  const [seen] = rows;
  if (seen === undefined) throw new Error('the table is gone');
  if (!seen.home) return { ...seen, altered: [] };
  const claims = await eyes.query<{ altered: string[] }>(
    'SELECT altered FROM lakeshift.claims WHERE table_oid = $1::regclass',
    [table],
  );
  return { ...seen, altered: claims.rows[0]?.altered ?? [] };
}

const byNumber = (a: number, b: number): number => a - b;
const isFenced = (ending: Ending): boolean => !ending.ok && ending.failure === 'FENCED';
const rank = (ending: Ending): number => (ending.ok ? 0 : isFenced(ending) ? 2 : 1);
const refsOf = ({ write }: Statement): readonly number[] => ('refs' in write ? write.refs : [write.ref]);
/** Columns that the change makes nullable until it is over. */
const liftedOf = ({ columns, dropped }: Subject): readonly string[] =>
  columns.filter(({ name, notNull }) => notNull === true && dropped.includes(name)).map(({ name }) => name);

function initialRows(subject: Subject, { rows, key }: Sequence): readonly Row[] {
  return Array.from({ length: rows }, (_, index) => ({
    ref: index + 1,
    key: keyKinds[key].of(index + 1),
    values: Object.fromEntries(
      subject.columns.map(({ name, initial }, place) => [
        name,
        initial[(index * (place + 1)) % initial.length] ?? null,
      ]),
    ),
  }));
}

function createTable(subject: Subject, { key, fillfactor }: Sequence, table: string): string {
  const columns = subject.columns.map(
    ({ name, type, notNull, default: value }) =>
      `${name} ${type}${notNull === true ? ' NOT NULL' : ''}${value === undefined ? '' : ` DEFAULT ${value}`}`,
  );
  const kind = keyKinds[key];
  const primary = kind.columns.length === 0 ? [] : [`PRIMARY KEY (${kind.columns.join(', ')})`];
  const parts = ['ref integer', kind.sql, ...columns, 'pad text', ...primary];
  return `CREATE TABLE ${table} (${parts.join(', ')}) WITH (fillfactor = ${fillfactor}, autovacuum_enabled = false)`;
}

function insertAll(subject: Subject, { key }: Sequence, table: string, rows: readonly Row[]): string {
  const names = ['ref', ...keyNames(key), ...subject.columns.map(({ name }) => name), 'pad'];
  const tuples = rows.map(
    (row) =>
      `(${[String(row.ref), ...[...row.key, ...Object.values(row.values)].map(literal), `repeat('p', 400)`].join(', ')})`,
  );
  return `INSERT INTO ${table} (${names.join(', ')}) VALUES ${tuples.join(', ')}`;
}

/** Columns, constraints, indexes and triggers of a table, a line each. */
async function describeTable(client: pg.Client, table: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ line: string }>(
    `SELECT line FROM (
       SELECT 'column ' || attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
         || coalesce(' default ' || (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum), '') AS line
         FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
       UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass
       UNION ALL SELECT 'index ' || pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = $1::regclass
       UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal) AS s ORDER BY line`,
    [table],
  );
  return rows.map(({ line }) => line);
}
