import { Context } from '@temporalio/activity';
import type { ComparedCounts, GateWindow, Probe } from '../../contracts/gate.ts';
import type { ModelState } from '../../contracts/model.ts';
import type { RouteState } from '../../contracts/route.ts';
import type { RollStatus } from '../../contracts/workload.ts';
import type {
  Activities,
  BackfillFacts,
  CheckFacts,
  DependencyAnswer,
  DependencyLook,
  LookResult,
  Site,
} from '../../contracts/activities.ts';
import type { Phase } from '../../contracts/catalog.ts';
import type { DeploymentEvent, LedgerEntry } from '../../contracts/events.ts';
import type { FailureCode } from '../../contracts/failures.ts';
import type { JsonObject, Row } from '../../contracts/json.ts';
import type { ShadowFacts } from '../../contracts/shadow.ts';
import { failure } from '../../activities/failures.ts';
import { lookAfter } from '../../activities/traffic/look-after.ts';
import { modelFacts } from './model-plans.ts';
import { comparison } from './shadow-facts.ts';

/** What an effect is told, in the order in which effects happened. */
export interface Deed {
  readonly what: string;
  readonly turn: number;
  /** Epoch ms. */
  readonly at: number;
}

/**
 * A target, a ledger and an approval key in memory. It refuses effects behind its fence as the real target does, and a
 * story sets what its rows, its people and its mishaps are.
 */
export class World {
  readonly deeds: Deed[] = [];
  readonly entries: LedgerEntry[] = [];
  readonly others = new Map<string, Phase>();
  /** Who holds the table; null: nobody. */
  holder: string | null = null;
  /** Writes that the old shape cannot hold; null: the target does not say. */
  misfits: number | null = 0;
  /** Rows that differ, or do not convert, by the id of the check's fast statement. */
  wrong: Record<string, number> = {};
  /** Kinds of statement that still read the old shape. */
  readers = 0;
  /** Slices that a backfill takes; each lasts until it is told to pause when `slow`. */
  slices = 1;
  slow = false;
  /** What its slices have noticed. */
  notes: string[] = [];
  /** For how long the source of the application's p99 has given no data, ms. */
  blindForMs = 0;
  /** Activities whose worker is dead: they never answer. */
  dead = new Set<string>();
  /** Whose worker dies when it is called; once dead, it stays so. */
  dies: (activity: string) => boolean = () => false;
  /** Activities that fail, and with what. */
  broken = new Map<string, FailureCode>();
  /** Activities that end no sooner than this. */
  until = new Map<string, Promise<void>>();
  ledgerDown = false;
  /** What is seen of a rollout, slice by slice; then it is over. */
  rollouts: RollStatus[] = [];
  /** Whole percent on the candidate. */
  weight = 0;
  /** What the windows of a gate say. */
  windows: () => readonly GateWindow[] = () => [];
  blindBecause: string | null = null;
  /** What both sides have counted, by the name of the comparison. */
  compared: Readonly<Record<string, ComparedCounts | null>> = {};
  /** Where the aliases of the model point, which has the versions of `modelFacts`. */
  readonly aliases: Record<string, string | null> = { ...modelFacts.aliases };
  registryAway = false;
  /** How many pods of the side that gets a share are ready. */
  readyPods = 1;
  /** What is written into the route by somebody else, right after we have: each of these once, then nothing. */
  edits: number[] = [];
  /** What the route says whatever we write; null: what we write. */
  stubborn: number | null = null;
  /** The share of the traffic that the candidate is seen to answer, whole percent; null: as the route says. */
  seen: number | null = null;
  /** Requests that make a look at the traffic; 0: nobody asks. */
  requests = 1_000;
  /** How often the traffic was looked at, and how often the route and its checks were. */
  looks = { traffic: 0, route: 0 };
  /** What is wrong with the new side, try by try; then nothing is. */
  faults: (string | null)[] = [];
  /** Addresses of what the new side needs that do not answer, and how often any was asked. */
  away = new Set<string>();
  asked = 0;
  /** What each slice of a shadow sees; then the stable side is silent. */
  slicesOfShadow: ((wanted: number) => ShadowFacts)[] = [];
  /** What is seen of queries, slice by slice; then none runs. Null: nobody can see. */
  queries: (number | null)[] = [];
  /** What is wrong with the way of follow-up requests, try by try; then nothing is. */
  strays: (string | null)[] = [];
  paused = false;
  rate: number | null = null;
  #fence = 0;
  #sliced = 0;

  /** What a worker runs. */
  activities(): Activities {
    return {
      look: (input) =>
        this.#at('look', async () => Object.fromEntries(input.statements.map(({ id }) => [id, this.#look(id)]))),
      claim: ({ site }) => this.#at('claim', async () => this.#claim(site.deployment)),
      holdColumnsOnly: ({ site, columnsOnly }) =>
        this.#effect('holdColumnsOnly', columnsOnly ? 'hold columns' : 'hold table', site, async () => ({
          held: true,
        })),
      release: ({ site }) =>
        this.#effect('release', 'release', site, async () => {
          if (this.holder === site.deployment) this.holder = null;
        }),
      raiseFence: ({ site }) => this.#effect('raiseFence', 'raise fence', site, async () => undefined),
      lookCluster: () => Promise.reject(new Error('there is no cluster in this world')),
      lookModel: () => Promise.reject(new Error('nobody looks at a registry in this world')),
      readModel: () => this.#at('readModel', async () => this.#registered()),
      setAlias: ({ site, alias, version, from }) =>
        this.#effect('setAlias', `alias ${alias} ${version ?? 'gone'}`, site, async () => {
          if ((this.aliases[alias] ?? null) === from) this.aliases[alias] = version;
          return { version: this.aliases[alias] ?? null };
        }),
      standUp: ({ site }) => this.#effect('standUp', 'stand up', site, async () => undefined),
      takeDown: ({ site }) => this.#effect('takeDown', 'take down', site, async () => undefined),
      setScaling: ({ site, held }) =>
        this.#effect('setScaling', held ? 'hold scaling' : 'free scaling', site, async () => undefined),
      scaleWorkload: ({ site, replicas }) =>
        this.#effect('scaleWorkload', `scale to ${replicas}`, site, async () => undefined),
      setWeight: ({ site, weight }) =>
        this.#effect('setWeight', `weight ${weight}`, site, async () => {
          this.weight = this.stubborn ?? weight;
          const state = this.#routed();
          this.weight = this.edits.shift() ?? this.weight;
          return state;
        }),
      followQueries: ({ coordinator }) =>
        this.#at('followQueries', async () => {
          this.deeds.push({ what: `count ${coordinator.name}`, turn: 0, at: Date.now() });
          const running = this.queries.length === 0 ? 0 : (this.queries.shift() ?? null);
          return { running, blindBecause: running === null ? 'it gives no answer' : null };
        }),
      keepFollowUps: ({ site }) => this.#effect('keepFollowUps', 'keep follow-ups', site, async () => ({ silent: [] })),
      dropFollowUps: ({ site }) => this.#effect('dropFollowUps', 'drop follow-ups', site, async () => undefined),
      traceFollowUps: () => this.#at('traceFollowUps', async () => this.strays.shift() ?? null),
      observeTraffic: () =>
        this.#at('observeTraffic', async () => {
          this.looks.traffic += 1;
          const candidate = Math.round(((this.seen ?? this.weight) * this.requests) / 100);
          return { candidate, stable: this.requests - candidate, unknown: 0 };
        }),
      watchTraffic: ({ waitMs, dependencies, model }) =>
        this.#at('watchTraffic', async () => {
          if (dependencies === undefined) await waitFor(waitMs);
          const answers = dependencies === undefined ? undefined : await this.#needed(dependencies, waitMs);
          this.looks.route += 1;
          const facts = { route: this.#routed(), windows: this.windows(), blindBecause: this.blindBecause };
          const state = this.registryAway ? null : this.#registered();
          return {
            ...facts,
            compared: this.compared,
            readyPods: this.readyPods,
            ...(answers === undefined ? {} : { answers }),
            ...(model === undefined ? {} : { model: state }),
          };
        }),
      compareSides: ({ wanted }) =>
        this.#at('compareSides', async () => {
          await waitFor(20);
          return (this.slicesOfShadow.shift() ?? comparison({ silent: 10 }))(wanted);
        }),
      probeSide: () => this.#at('probeSide', async () => this.faults.shift() ?? null),
      applyWorkload: ({ site, workload, apply }) =>
        this.#effect('applyWorkload', `apply${appliedTo(workload.name, apply)}`, site, async () => undefined),
      holdRollout: ({ site }) => this.#effect('holdRollout', 'hold', site, async () => undefined),
      removeBroken: ({ site }) => this.#effect('removeBroken', 'remove broken pods', site, async () => 0),
      awaitRollout: () => this.#at('awaitRollout', async () => this.rollouts.shift() ?? rolled),
      steer: ({ site, paused, rate }) =>
        this.#effect('steer', `steer ${paused ? 'pause' : String(rate)}`, site, async () => {
          this.paused = paused;
          this.rate = rate;
        }),
      alter: ({ site, alteration }) =>
        this.#effect('alter', alteration.statements[0]?.id ?? '', site, async () => ({
          changed: true,
          lockMs: 3,
          tries: 1,
        })),
      alterLong: ({ site, statements }) =>
        this.#effect('alterLong', statements[0]?.id ?? '', site, async () => undefined),
      buildIndex: ({ site, index }) =>
        this.#effect('buildIndex', `build ${index.name}`, site, async () => ({ built: true })),
      backfill: ({ site }) => this.#effect('backfill', 'backfill', site, () => this.#slice()),
      checkRows: ({ site, check, pass }) =>
        this.#effect('checkRows', `check ${check.fast.id}`, site, async () => this.#check(check.fast.id, pass)),
      record: (entry) => this.#at('record', async () => this.#record(entry)),
      checkApproval: ({ approval }) =>
        this.#at('checkApproval', async () => ({
          counts: approval.signature === 'signed',
          because: approval.signature === 'signed' ? 'signed' : 'it is not signed by the API',
        })),
      findDeployment: ({ idOrName }) =>
        this.#at('findDeployment', async () => {
          const phase = this.others.get(idOrName);
          return phase === undefined ? null : { id: idOrName, phase };
        }),
    };
  }

  /** What happened in the target, without the steering of the backfill. */
  get story(): readonly string[] {
    return this.deeds.map(({ what }) => what).filter((what) => !what.startsWith('steer'));
  }

  /** The events of the ledger in order, each once. */
  get events(): readonly DeploymentEvent[] {
    const bySeq = new Map(this.entries.flatMap(({ events }) => events).map((event) => [event.seq, event]));
    return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  }

  /** The kinds of the ledger's events, in order. */
  kinds(...kinds: DeploymentEvent['kind'][]): readonly DeploymentEvent[] {
    return this.events.filter(({ kind }) => kinds.includes(kind));
  }

  async #at<T>(name: string, act: () => Promise<T>): Promise<T> {
    if (this.dies(name)) this.dead.add(name);
    if (this.dead.has(name)) await silence();
    const code = this.broken.get(name);
    if (code !== undefined) throw failure(code, `${name} is broken in this story`);
    await this.until.get(name);
    return act();
  }

  /** An effect happens only in front of the fence. */
  #effect<T>(name: string, what: string, { turn }: Site, act: () => Promise<T>): Promise<T> {
    if (turn < this.#fence) throw failure('FENCED', `turn ${turn} is behind the fence at ${this.#fence}`);
    this.#fence = turn;
    this.deeds.push({ what, turn, at: Date.now() });
    return this.#at(name, act);
  }

  #registered(): ModelState {
    const { createdAt, versions } = modelFacts;
    return { createdAt, versions, aliases: { ...this.aliases } };
  }

  /** As the real activity looks after them. */
  async #needed(looks: readonly DependencyLook[], waitMs: number): Promise<readonly DependencyAnswer[]> {
    const over = new AbortController();
    const { cancellationSignal } = Context.current();
    const cancel = (): void => over.abort();
    cancellationSignal.addEventListener('abort', cancel);
    const beat = setInterval(() => Context.current().heartbeat(), 50);
    const ask = async (probe: Probe): Promise<string | null> => {
      this.asked += 1;
      return this.away.has('address' in probe ? probe.address : '') ? 'no connection' : null;
    };
    try {
      const answers = await lookAfter(looks, waitMs, ask, over);
      cancellationSignal.throwIfAborted();
      return answers;
    } finally {
      clearInterval(beat);
      cancellationSignal.removeEventListener('abort', cancel);
    }
  }

  #routed(): RouteState {
    return { weight: this.weight, because: `${this.weight} % on the candidate` };
  }

  #claim(deployment: string) {
    if (this.holder === deployment) return { held: true } as const;
    if (this.holder !== null) return { held: false, holder: this.holder } as const;
    this.holder = deployment;
    this.#fence = 0;
    return { held: true } as const;
  }

  async #slice(): Promise<BackfillFacts> {
    const context = Context.current();
    while (this.slow && !this.paused) {
      context.heartbeat();
      context.cancellationSignal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (!this.paused) this.#sliced += 1;
    const rows = Math.min((1_000 * this.#sliced) / this.slices, 1_000);
    const { blindForMs } = this;
    const felt = { ...nothingFelt, lockWaits: 0, deadlocks: 1 };
    const noticed = this.notes.length === 0 ? {} : { notes: this.notes };
    const facts = { rows, paused: this.paused, deferred: 0, pace: 'full speed', felt, ...noticed };
    return { ...facts, finished: this.#sliced >= this.slices, blindForMs, blindBecause: 'no p99 from shop: no data' };
  }

  #check(id: string, _pass: string): CheckFacts {
    const wrong = this.wrong[id] ?? 0;
    return {
      finished: true,
      seen: 1_000,
      wrong,
      lossy: 0,
      keys: Array.from({ length: Math.min(wrong, 3) }, (_, i) => `${i + 1}`),
    };
  }

  #record(entry: LedgerEntry): void {
    if (this.ledgerDown) throw failure('LEDGER_UNREACHABLE', 'the ledger is down in this story');
    this.entries.push(entry);
  }

  #look(id: string): LookResult {
    const rows: Record<string, readonly Row[]> = {
      table: [{ oid: 16_400, kind: 'r', server_version: 180_000 }],
      key: [{ name: 'id', type: 'bigint' }],
      rights: [{ role: 'lakeshift', superuser: false, owns_table: true, schema_ready: true, temporary: true }],
      columns: [
        { name: 'id', type: 'bigint' },
        { name: 'amount', type: 'numeric(12,2)' },
      ],
      longTransactions: [],
      slots: [],
      statements: [{ select_star: 0, positional: 0 }],
      rowTypes: [{ users: 0 }],
      dependents: [],
      readers: [{ statements: this.readers }],
      wayBack: this.misfits === null ? [] : [{ misfits: String(this.misfits) }],
    };
    const found = rows[id];
    return found === undefined ? { ok: false, code: '42P01', name: id } : { ok: true, rows: found };
  }
}

/** As an activity waits: it beats, and ends when it is cancelled. */
async function waitFor(ms: number): Promise<void> {
  const { cancellationSignal } = Context.current();
  const until = Date.now() + ms;
  while (Date.now() < until) {
    Context.current().heartbeat();
    cancellationSignal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Which workload of several, and how many pods it is to have; nothing where there is but one. */
const appliedTo = (name: string, { spec }: JsonObject): string =>
  typeof spec === 'object' && spec !== null && 'replicas' in spec ? ` ${name} ${JSON.stringify(spec['replicas'])}` : '';

const nothingFelt = { by: null, p99AloneMs: null, p99BesideMs: null, measuredMs: 0, longestMs: null, errors: null };

/** Never answers and never heartbeats, as an activity does whose worker was killed; only the end of the test ends it. */
const silence = (): Promise<never> =>
  new Promise((_, reject) => {
    Context.current().cancellationSignal.addEventListener('abort', () => reject(new Error('the test is over')));
  });

const rolled: RollStatus = { done: true, updated: 3, wanted: 3, stuck: false, because: 'all 3 pods are new and ready' };
