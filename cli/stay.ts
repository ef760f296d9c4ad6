import type { DeploymentView } from '../contracts/api.ts';
import { type Context, print } from './context.ts';
import type { ExitName } from './exit-codes.ts';
import { follow, followEvents } from './follow.ts';
import { exitOf, type Patience } from './outcome.ts';
import { needLines, stageLines } from './render/status.ts';
import { runningLines, trafficLines } from './render/traffic.ts';
import { Screen } from './screen.ts';

/** How a command stays with a deployment. */
export interface Stay {
  readonly patience: Patience;
  /** Show what happens while it goes on. */
  readonly watch: boolean;
  /** Give up after so many ms; null: never. */
  readonly timeoutMs: number | null;
}

/** Stays with a deployment as long as it should, and says how it went. */
export async function stayWith(context: Context, id: string, stay: Stay): Promise<ExitName> {
  const stop = new AbortController();
  const timer = stay.timeoutMs === null ? undefined : setTimeout(() => stop.abort(), stay.timeoutMs);
  const signal = AbortSignal.any([context.signal, stop.signal]);
  try {
    return await (stay.watch && context.json ? watchAsLines : waitOrWatch)(context, id, stay, signal);
  } catch (error) {
    if (!stop.signal.aborted || context.signal.aborted) throw error;
    context.err(`${id} is still going on after the time that was given\n`);
    return 'timedOut';
  } finally {
    clearTimeout(timer);
  }
}

async function waitOrWatch(
  context: Context,
  id: string,
  { patience, watch }: Stay,
  signal: AbortSignal,
): Promise<ExitName> {
  const screen = new Screen(context);
  const options = { everyMs: watch ? 1_000 : 30_000, signal, note: (text: string) => context.err(`${text}\n`) };
  for await (const view of follow(context.client, id, options)) {
    const exit = exitOf(view.status, patience);
    if (watch && !context.json) screen.show(linesOf(context, view), exit !== null);
    if (exit === null) continue;
    if (!watch) print(context, view, () => linesOf(context, view).join('\n'));
    return exit;
  }
  return 'failed';
}

/** One JSON document a line: `{"type":"event"…}`, `{"type":"progress"…}`, and `{"type":"status"…}` last. */
async function watchAsLines(context: Context, id: string, { patience }: Stay, signal: AbortSignal): Promise<ExitName> {
  const line = (document: unknown): void => context.out(`${JSON.stringify(document)}\n`);
  const finish = (view: DeploymentView, exit: ExitName): ExitName => {
    line({ type: 'status', deployment: view });
    return exit;
  };
  const options = { signal, note: (text: string) => context.err(`${text}\n`) };
  for await (const item of followEvents(context.client, id, 0, options)) {
    line(item);
    if (item.type === 'progress') continue;
    const view = await context.client.show(id);
    const exit = exitOf(view.status, patience);
    // What happened up to this moment is written before the status that ends it.
    if (exit !== null && item.event.seq >= (view.seq ?? 0)) return finish(view, exit);
  }
  const view = await context.client.show(id);
  return finish(view, exitOf(view.status, patience) ?? 'failed');
}

function linesOf({ style, now }: Context, { status, live }: DeploymentView): string[] {
  const at = now();
  return [
    ...stageLines({ status, live, now: at }, style),
    ...trafficLines(status.progress, at),
    ...runningLines(status.progress, at),
    ...needLines(status, style),
  ];
}
