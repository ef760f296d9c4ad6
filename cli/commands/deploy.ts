import { randomUUID } from 'node:crypto';
import type { DeploymentView } from '../../contracts/api.ts';
import type { Client } from '../client.ts';
import { type Context, print } from '../context.ts';
import type { ExitName } from '../exit-codes.ts';
import { Refused } from '../failure.ts';
import { checkPlace, exitOf, type Patience } from '../outcome.ts';
import { readSpec } from '../read-spec.ts';
import { shortHash } from '../render/format.ts';
import { renderStatus } from '../render/status.ts';
import type { GlobalOptions } from '../settings.ts';
import { stayWith } from '../stay.ts';
import { durationOption, planOption } from './options.ts';
import type { Register } from './register.ts';

interface DeployOptions extends GlobalOptions {
  readonly wait?: boolean;
  readonly until?: string;
  readonly watch?: boolean;
  readonly again?: boolean;
  readonly key?: string;
  readonly timeout?: number;
  readonly plan?: string;
}

/** `lakeshift deploy FILE`: starts a deployment, or finds the one that this very request has started. */
export const registerDeploy: Register = (program, run) => {
  program
    .command('deploy')
    .argument('<file>', 'the spec, YAML or JSON; - is standard input')
    .description('start a deployment; the same request again finds the same deployment')
    .option('--wait', 'stay until it has ended or needs a person')
    .option(
      '--until <place>',
      'stay until it has reached a stage or a phase (cutover, in-grace …), ended, or needs a person',
    )
    .option('--watch', 'show its stages while it goes on; alone: until it has ended')
    .option('--timeout <duration>', 'stop waiting after this long (90s, 2h); the deployment goes on', durationOption)
    .option('--again', 'start anew even if this very spec has been deployed before')
    .option('--plan <hash>', 'start the very plan that `lakeshift plan` has shown within the last hour', planOption)
    .option('--key <key>', 'the Idempotency-Key: one key, one deployment')
    .action((file: string, _options: unknown, command: { optsWithGlobals: () => DeployOptions }) => {
      const options = command.optsWithGlobals();
      return run(options, (context) => deploy(context, file, options));
    });
};

async function deploy(context: Context, file: string, options: DeployOptions): Promise<ExitName> {
  const { client, style, now } = context;
  const patience = patienceOf(options);
  const view = await start(client, file, options);
  const { id, progress } = view.status;
  if (patience === null) {
    print(context, view, () =>
      renderStatus({ status: view.status, live: view.live, now: now() }, view.links.temporal, style),
    );
    return exitOf(view.status, { kind: 'end' }) ?? 'ok';
  }
  if (patience.kind === 'reached') checkPlace(view.status, patience.place);
  if (!context.json)
    context.out(`${style.bold(id)} · ${view.status.strategy} on ${view.status.target}${oldNews(progress.outcome)}\n`);
  return stayWith(context, id, { patience, watch: options.watch === true, timeoutMs: options.timeout ?? null });
}

/** Once accepted, a request is answered with what it started then, whatever plan it names now. */
async function start(client: Client, file: string, options: DeployOptions): Promise<DeploymentView> {
  const planHash = options.plan ?? null;
  const view = await client.deploy(await readSpec(file), { key: keyOf(options), planHash });
  const { id, planHash: started } = view.status;
  if (planHash === null || started === planHash) return view;
  throw new Refused(
    `this very spec was deployed before as ${id}, by the plan ${shortHash(started)}; --again starts anew`,
  );
}

const oldNews = (outcome: unknown): string =>
  outcome === null ? '' : ' · this very spec was deployed before; --again starts anew';

function keyOf({ again, key }: DeployOptions): string | null {
  if (again === true && key !== undefined) throw new Refused('--again makes a key of its own: leave out --key');
  return again === true ? randomUUID() : (key ?? null);
}

function patienceOf({ wait, until, watch }: DeployOptions): Patience | null {
  if (until !== undefined) return { kind: 'reached', place: until };
  if (wait === true) return { kind: 'person' };
  return watch === true ? { kind: 'end' } : null;
}
