import { InvalidArgumentError, type Command } from 'commander';
import type { DeploymentView } from '../../contracts/api.ts';
import type { OrderName } from '../../contracts/catalog.ts';
import { orderDescriptions } from '../../contracts/messages.ts';
import type { Status } from '../../contracts/progress.ts';
import { parseDuration } from '../../decisions/duration.ts';
import { type Client, orderPath, type OrderBody } from '../client.ts';
import { type Context, print } from '../context.ts';
import type { ExitName } from '../exit-codes.ts';
import { isPassing, Refused } from '../failure.ts';
import { findDeployment } from '../find-deployment.ts';
import { needLines } from '../render/status.ts';
import type { GlobalOptions } from '../settings.ts';
import { rateOption } from './options.ts';
import type { Register } from './register.ts';

interface OrderOptions extends GlobalOptions {
  readonly reason: string;
  readonly stage?: string;
  readonly planHash?: string;
  readonly by?: string;
  readonly rate?: number | 'none';
}

type Extra = (options: OrderOptions, view: DeploymentView) => Partial<OrderBody>;

const nothing: Extra = () => ({});

/** What each order needs beside stage and reason. */
const extras: Readonly<Record<OrderName, Extra>> = {
  pause: nothing,
  resume: nothing,
  abort: nothing,
  rollback: nothing,
  retry: nothing,
  approve: approvalOf,
  reject: approvalOf,
  skip: approvalOf,
  extend: ({ by }) => (by === undefined ? {} : { by }),
  setRate: ({ rate }) => ({ rowsPerSecond: typeof rate === 'number' ? rate : null }),
};

/** `lakeshift pause ID`, `approve ID` …: one command an order. */
export const registerOrders: Register = (program, run) => {
  for (const [name, extra] of Object.entries(extras)) {
    const order = name as OrderName; // the record's keys are the orders
    const command = program
      .command(orderPath(order))
      .argument('<deployment>', 'its id, the beginning of it, or its name (the latest)')
      .description(orderDescriptions[order].split(';')[0] ?? order)
      .requiredOption('--reason <text>', 'why; it stands in the ledger')
      .option('--stage <stage>', 'the stage at which you believe it to be; default: where it is now');
    addOwnOptions(command, order, extra);
    command.action((text: string, _options: unknown, self: { optsWithGlobals: () => OrderOptions }) => {
      const options = self.optsWithGlobals();
      return run(options, (context) => give(context, text, order, options));
    });
  }
};

function addOwnOptions(command: Command, order: OrderName, extra: Extra): void {
  if (extra === approvalOf)
    command.option(
      '--plan-hash <hash>',
      'hash of the plan that you mean, or its first 8 digits; default: the one shown',
    );
  if (order === 'extend') command.requiredOption('--by <duration>', 'how much longer: 12h, 3d', durationText);
  if (order === 'setRate') command.requiredOption('--rate <rows>', 'rows per second at the most, or none', rateOption);
}

async function give(context: Context, text: string, order: OrderName, options: OrderOptions): Promise<ExitName> {
  const view = await findDeployment(context.client, text);
  const { status } = view;
  const stage = options.stage ?? status.progress.waitingFor?.stage ?? status.stage;
  if (stage === null) throw new Refused(`${status.id} has ended: ${status.phase}`);
  if (!context.json) context.out(`${status.id} · ${status.phase} at ${status.stage ?? 'its end'}\n`);
  const body = { stage, reason: options.reason, ...extras[order](options, view) };
  const taken = await context.client.order(status.id, order, body);
  const after = await settled(context.client, view, taken);
  print(context, after, () =>
    [`${order} at ${stage}: taken · now ${after.status.phase}`, ...needLines(after.status, context.style)].join('\n'),
  );
  return 'ok';
}

/**
 * The deployment once the ledger knows of the order, so that a command that comes next does not see it as it was.
 * The order has been taken in any case.
 */
async function settled(client: Client, before: DeploymentView, taken: DeploymentView): Promise<DeploymentView> {
  if (before.seq === undefined) return taken;
  try {
    return await client.show(before.status.id, { seconds: 3, for: 'change', after: before.seq });
  } catch (error) {
    if (isPassing(error)) return taken;
    throw error;
  }
}

/** What an approval is bound to: the plan, and the evidence for this stage if there is any. */
function approvalOf({ planHash, stage }: OrderOptions, { status }: DeploymentView): Partial<OrderBody> {
  const about = stage ?? status.progress.waitingFor?.stage ?? status.stage;
  const { evidence } = status.progress;
  return {
    planHash: fullHash(status, planHash),
    ...(evidence?.stage === about ? { evidenceHash: evidence.hash } : {}),
  };
}

/** A beginning that fits is made whole; a whole hash is sent as it is, for the service to compare. */
function fullHash({ id, planHash }: Status, given: string | undefined): string {
  if (given === undefined) return planHash;
  if (given.length === planHash.length) return given;
  if (given.length >= 8 && planHash.startsWith(given)) return planHash;
  throw new Refused(`the plan of ${id} is ${planHash.slice(0, 8)}…, not ${given}; give at least 8 digits`);
}

function durationText(text: string): string {
  if (parseDuration(text) === null) throw new InvalidArgumentError('write 90s, 12h, 7d or P7D.');
  return text;
}
