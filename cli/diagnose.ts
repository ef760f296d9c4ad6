import { Connection } from '@temporalio/client';
import {
  ConfigError,
  ensureSearchAttributes,
  loadConfig,
  loadTemporalConnection,
  type Config,
} from '../config/index.ts';
import type { Client } from './client.ts';
import { ApiProblem } from './failure.ts';
import { some } from './render/format.ts';
import { findInstallation } from './installation.ts';

/** What one look of the doctor gave. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'bad' | 'skipped';
  readonly detail: string;
  /** Single problems, or commands that mend it. */
  readonly lines: readonly string[];
}

/** Looks at everything, whatever else is broken, and gives all findings together. */
export async function diagnose(client: Client, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const installation = await findInstallation(env);
  const { config, finding } = await lookAtConfig(installation.configFile, env);
  const [service, attributes] = await Promise.all([
    lookAtService(client),
    lookAtSearchAttributes(config, installation.env),
  ]);
  return [finding, ...service, attributes];
}

const ok = (name: string, detail: string): Finding => ({ name, state: 'ok', detail, lines: [] });
const bad = (name: string, detail: string, lines: readonly string[] = []): Finding => ({
  name,
  state: 'bad',
  detail,
  lines,
});
const skipped = (name: string, detail: string): Finding => ({ name, state: 'skipped', detail, lines: [] });

async function lookAtConfig(
  file: string | null,
  env: NodeJS.ProcessEnv,
): Promise<{ config: Config | null; finding: Finding }> {
  if (file === null) {
    return { config: null, finding: skipped('configuration', 'no lakeshift.yaml here and no LAKESHIFT_CONFIG') };
  }
  try {
    const config = await loadConfig(file, env);
    const { targets, notify } = config;
    const parts = [some(Object.keys(targets).length, 'target'), some(Object.keys(notify).length, 'channel')];
    return { config, finding: ok('configuration', `${file}, ${parts.join(', ')}`) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.problems.map(({ path, detail, didYouMean }) =>
      [path, detail, didYouMean === undefined ? '' : `(did you mean ${didYouMean}?)`]
        .filter((part) => part !== '')
        .join(' '),
    );
    return {
      config: null,
      finding: bad(
        'configuration',
        `${file} has ${lines.length === 1 ? 'a mistake' : `${lines.length} mistakes`}`,
        lines,
      ),
    };
  }
}

/** The API, what it needs, and on each target whether a worker answers and reaches it. */
async function lookAtService(client: Client): Promise<readonly Finding[]> {
  const api = await attempt('API', async () => {
    const checks = await client.ready();
    return ok(
      'API',
      [client.address, ...Object.entries(checks).map(([name, state]) => `${name} ${state}`)].join(' · '),
    );
  });
  const targets = await client.targets().catch(() => null);
  if (targets === null) return [api, skipped('workers', 'the API does not say which targets there are')];
  if (targets.length === 0) return [api, skipped('workers', 'there are no targets')];
  return [api, ...(await Promise.all(targets.map(({ name }) => lookAtTarget(client, name))))];
}

/** Asks for the plan of a change to a table that is not there: a worker has to look in the target to refuse it. */
function lookAtTarget(client: Client, target: string): Promise<Finding> {
  const name = `target ${target}`;
  const spec = {
    name: 'doctor',
    strategy: 'expand-contract',
    target,
    table: 'public.lakeshift_doctor',
    changes: [{ add: 'looks text' }],
  };
  return attempt(name, async () => {
    try {
      await client.plan({ type: 'application/json', text: JSON.stringify(spec) });
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.problem.code !== 'PLAN_REFUSED') throw error;
    }
    return ok(name, 'a worker answers and reaches it');
  });
}

async function lookAtSearchAttributes(config: Config | null, env: NodeJS.ProcessEnv): Promise<Finding> {
  const name = 'search attributes';
  if (config === null && env['TEMPORAL_ADDRESS'] === undefined) {
    return skipped(name, 'this needs the configuration, or TEMPORAL_ADDRESS');
  }
  const prefix = config?.temporal.searchAttributes.prefix ?? 'Lakeshift';
  return attempt(name, async () => {
    const { connectionOptions, namespace } = loadTemporalConnection(env);
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '3s' });
    try {
      const state = await ensureSearchAttributes(connection, { namespace, prefix, register: false });
      return state.ready
        ? ok(name, `all of ${prefix}… are in namespace ${namespace}`)
        : bad(name, `namespace ${namespace} lacks some; whoever may, runs`, state.commands);
    } finally {
      await connection.close();
    }
  });
}

async function attempt(name: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    return bad(name, error instanceof Error ? (error.message.split('\n')[0] ?? error.name) : 'unknown reason');
  }
}
