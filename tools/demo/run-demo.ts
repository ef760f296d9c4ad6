import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { parse } from 'yaml';
import { type Client, createClient, type SpecText } from '../../cli/client.ts';
import { follow } from '../../cli/follow.ts';
import { coloured, plain, type Style } from '../../cli/render/style.ts';
import { renderPlan } from '../../cli/render/plan.ts';
import { Screen } from '../../cli/screen.ts';
import type { DeploymentView } from '../../contracts/api.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { isGood, renderDemo, renderResult } from './render-demo.ts';
import { countDifferences, lookAtSample, makeSample, openSample } from './sample-database.ts';
import { startTraffic, type Traffic } from './traffic.ts';

/** What the demo needs. */
export interface DemoOptions {
  /** Address of the API. */
  readonly apiUrl: string;
  /** The target's database, in which the sample table is made. */
  readonly databaseUrl: string;
  /** Name of that target in the configuration; default `shop`. */
  readonly target?: string;
  /** Where to show it; updated in place when it is a terminal. */
  readonly out: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Rows of the sample table; default 1,000,000. */
  readonly rows?: number;
  /** How long the application is watched before anything is deployed, ms; default 4 s. */
  readonly baselineMs?: number;
  readonly signal?: AbortSignal;
}

/** As whom the demo gives approvals. */
const actor = 'demo';
const instances = 8;
const perSecond = 250;
/** How long both versions of the application run, ms; shorter than the grace. */
const halfReleasedMs = 2_500;
const example = new URL('../../examples/01-cents-instead-of-decimals.yaml', import.meta.url);

/**
 * Carries out the first example on a sample table with live traffic, or goes on with it where an earlier demo was
 * interrupted. Gives 0 when it was deployed, the application saw no error, and no row differs; 1 otherwise.
 * Throws what the API or the database throws; aborting the signal throws too, and the deployment goes on.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { databaseUrl, rows = 1_000_000, baselineMs = 4_000 } = options;
  const stage = stageOf(options);
  const database = await openSample(databaseUrl);
  try {
    const spec = await readExample(options);
    const open = await openDeployment(stage.client, database, spec);
    if (open === null) await prepare(stage, database, rows);
    const released = open === null ? 0 : instancesReleased(open);
    const traffic = await startTraffic({ databaseUrl, instances, perSecond, released });
    try {
      return await deploy(stage, { database, traffic, open: open?.status.id ?? null, spec, baselineMs });
    } finally {
      await traffic.stop();
    }
  } finally {
    await database.end();
  }
}

/** The parts of the demo that stay the same. */
function stageOf({ apiUrl, out, signal = new AbortController().signal }: DemoOptions): Stage {
  const isTerminal = out.isTTY === true;
  return {
    client: createClient({ address: new URL(apiUrl).origin, token: null, actor, groups: null, signal }),
    say: (text) => void out.write(`${text}\n`),
    screen: new Screen({ out: (text) => void out.write(text), isTerminal }),
    style: isTerminal && (process.env['NO_COLOR'] ?? '') === '' ? coloured : plain,
    signal,
  };
}

/** Where the demo takes place. */
interface Stage {
  readonly client: Client;
  readonly say: (text: string) => void;
  readonly screen: Screen;
  readonly style: Style;
  readonly signal: AbortSignal;
}

interface Play {
  readonly database: pg.Client;
  readonly traffic: Traffic;
  /** The deployment that an earlier demo has begun. */
  readonly open: string | null;
  readonly spec: TableSpec;
  readonly baselineMs: number;
}

/** The example with a grace of seconds. */
async function readExample({ target }: DemoOptions): Promise<TableSpec> {
  const spec = parse(await readFile(example, 'utf8')) as TableSpec; // the service checks it
  return { ...spec, target: target ?? spec.target, contract: { ...spec.contract, after: '5s' } };
}

const asText = (spec: TableSpec): SpecText => ({ type: 'application/json', text: JSON.stringify(spec) });

/** The deployment that an earlier demo has begun and not ended, if its table is still there. */
async function openDeployment(
  client: Client,
  database: pg.Client,
  { name, target }: TableSpec,
): Promise<DeploymentView | null> {
  const { exists } = await lookAtSample(database);
  const { deployments } = await client.list({ name: [name], target: [target], open: ['true'], limit: ['1'] });
  const [latest] = deployments;
  return exists && latest !== undefined ? client.show(latest.id) : null;
}

async function prepare({ say }: Stage, database: pg.Client, rows: number): Promise<void> {
  const began = Date.now();
  await makeSample(database, rows);
  const seconds = ((Date.now() - began) / 1_000).toFixed(1);
  say(`sample table public.payments: ${rows.toLocaleString('en-US')} rows, made in ${seconds} s`);
}

async function deploy(stage: Stage, { database, traffic, open, spec, baselineMs }: Play): Promise<number> {
  const { client, say, style, signal } = stage;
  say(`an application reads and writes it: ${perSecond} requests/s on ${instances} connections`);
  say('  lock_timeout 1 s, statement_timeout 2 s');
  let planHash: string | null = null;
  if (open === null) {
    await sleep(baselineMs, undefined, { signal });
    const plan = await client.plan(asText(spec));
    planHash = plan.hash;
    say(`\n${renderPlan(plan, style)}\n`);
    say('(the example keeps the old column for 7 days; the demo for 5 seconds)');
  } else say(`going on with ${open}, which an earlier demo has begun`);
  traffic.startPeriod('during');
  const id = open ?? (await client.deploy(asText(spec), { key: randomUUID(), planHash })).status.id;
  say(`${style.bold(id)}\n`);
  await play(stage, traffic, id);
  await traffic.stop();
  const result = {
    report: await client.report(id),
    felt: traffic.figures(),
    differences: await countDifferences(database),
  };
  say(renderResult(result, style));
  return isGood(result) ? 0 : 1;
}

/** Shows the deployment until it has ended, releases the application when it is time, and approves as asked. */
async function play(stage: Stage, traffic: Traffic, id: string): Promise<void> {
  const { client, say, screen, style, signal } = stage;
  for await (const view of follow(client, id, { everyMs: 1_000, signal, note: say })) {
    const ended = view.status.progress.outcome !== null;
    screen.show(renderDemo(view, traffic.figures(), Date.now(), style), ended);
    if (ended) return;
    traffic.release(instancesReleased(view));
    if (view.status.phase === 'needs-attention') throw new Error(`${id} needs attention: lakeshift show ${id}`);
    if (view.status.phase === 'waiting-for-approval') await approve(stage, view);
  }
}

/** In the grace half of the application becomes the new version, a little later all of it, before the old column goes. */
function instancesReleased({ status: { progress } }: DeploymentView): number {
  const beganAt = progress.stages.find(({ name }) => name === 'grace')?.beganAt ?? null;
  if (progress.direction === 'back' || beganAt === null) return 0;
  return Date.now() - beganAt > halfReleasedMs ? instances : instances / 2;
}

/** Approves after a second, in which one can read what is asked. */
async function approve({ client, screen, say, signal }: Stage, { status }: DeploymentView): Promise<void> {
  const { waitingFor, evidence } = status.progress;
  if (waitingFor?.what !== 'approval') return;
  await sleep(1_000, undefined, { signal });
  const now = await client.show(status.id);
  if (now.status.progress.waitingFor?.stage !== waitingFor.stage) return;
  const latest = now.status.progress.evidence ?? evidence;
  await client.order(status.id, 'approve', {
    stage: waitingFor.stage,
    reason: 'the demo says yes',
    planHash: status.planHash,
    ...(latest?.stage === waitingFor.stage ? { evidenceHash: latest.hash } : {}),
  });
  screen.leave();
  say(`  ✋ ${waitingFor.stage} approved by ${actor}`);
}
