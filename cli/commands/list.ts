import type { DeploymentSummary } from '../../contracts/api.ts';
import type { Client } from '../client.ts';
import { print } from '../context.ts';
import { renderList } from '../render/list.ts';
import type { GlobalOptions } from '../settings.ts';
import { repeated } from './options.ts';
import type { Register } from './register.ts';

interface ListOptions extends GlobalOptions {
  readonly phase: readonly string[];
  readonly target: readonly string[];
  readonly name: readonly string[];
  readonly open?: boolean;
  readonly limit: string;
}

/** `lakeshift list`: deployments, newest first. */
export const registerList: Register = (program, run) => {
  program
    .command('list')
    .description('list deployments, newest first')
    .option('--phase <phase>', 'only those in this phase; may be repeated', repeated, [])
    .option('--target <target>', 'only those on this target; may be repeated', repeated, [])
    .option('--name <name>', 'only those of this name; may be repeated', repeated, [])
    .option('--open', 'only those that have not ended')
    .option('--limit <count>', 'at most so many', '50')
    .action((_options: unknown, command: { optsWithGlobals: () => ListOptions }) => {
      const options = command.optsWithGlobals();
      return run(options, async (context) => {
        const deployments = await listed(context.client, options);
        print(context, { deployments }, () => renderList(deployments, context.now(), context.style));
        return 'ok';
      });
    });
};

/** Pages until there are enough. */
async function listed(client: Client, { phase, target, name, open, limit }: ListOptions): Promise<DeploymentSummary[]> {
  const most = Number(limit);
  const filters = { phase, target, name, ...(open === true ? { open: ['true'] } : {}) };
  const found: DeploymentSummary[] = [];
  let cursor: readonly string[] = [];
  for (;;) {
    const page = await client.list({ ...filters, limit: [most > 200 ? '200' : limit], cursor });
    found.push(...page.deployments);
    if (page.next === null || found.length >= most) return found.slice(0, most);
    cursor = [page.next];
  }
}
