import { parseArgs } from 'node:util';
import { ToolFailure } from '../tool-failure.ts';

/** What `npm start` was asked to do. */
export interface StartOptions {
  /** `first-time`: only when it has never been seen to its end here. */
  readonly demo: 'always' | 'first-time' | 'never';
  /** Ends by itself after the demo, with its exit code. */
  readonly exit: boolean;
  /** Rows of the sample table; null: as many as the demo likes. */
  readonly rows: number | null;
  /** Ports on loopback; 0: any free one. */
  readonly ports: { readonly api: number; readonly temporal: number; readonly ui: number; readonly postgres: number };
  /** `host:port` of a Temporal that is not ours. */
  readonly temporalAddress: string | null;
  /** URL of a PostgreSQL database that is not ours. */
  readonly databaseUrl: string | null;
  /** A configuration of the user's own. */
  readonly config: string | null;
}

/** What `--help` prints. */
export const usage = `npm start -- [options]: Lakeshift with everything it needs, on this machine

  --demo       carry out a schema change on a sample database (without: only the first time)
  --no-demo    not even the first time
  --rows N     rows of the demo's table
  --exit       end after the demo, with its exit code

LAKESHIFT_HOME          where state, caches and logs are kept
LAKESHIFT_API_PORT      7070      LAKESHIFT_TEMPORAL_PORT   7233
LAKESHIFT_UI_PORT       8233      LAKESHIFT_POSTGRES_PORT   54329     (0: any free port)
TEMPORAL_ADDRESS        use this Temporal, start none
LAKESHIFT_DATABASE_URL  keep the ledger there, start no PostgreSQL
LAKESHIFT_CONFIG        use this lakeshift.yaml instead of the embedded one
`;

/** Reads arguments and environment; null: only help was asked for. Fails with one line about the first mistake. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): StartOptions | null {
  const given = parse(args);
  if (given.help) return null;
  const config = filled(env['LAKESHIFT_CONFIG']);
  return {
    demo: demoOf(given, config),
    exit: given.exit,
    rows: given.rows === undefined ? null : wholeNumber(given.rows, '--rows', 1, 1_000_000_000),
    ports: {
      api: port(env, 'LAKESHIFT_API_PORT', 7070),
      temporal: port(env, 'LAKESHIFT_TEMPORAL_PORT', 7233),
      ui: port(env, 'LAKESHIFT_UI_PORT', 8233),
      postgres: port(env, 'LAKESHIFT_POSTGRES_PORT', 54329),
    },
    temporalAddress: filled(env['TEMPORAL_ADDRESS']),
    databaseUrl: filled(env['LAKESHIFT_DATABASE_URL']),
    config,
  };
}

function demoOf(given: ReturnType<typeof parse>, config: string | null): StartOptions['demo'] {
  if (given.exit && !given.demo) throw new ToolFailure('--exit goes with --demo');
  if (given.demo && config !== null) {
    throw new ToolFailure('--demo needs the embedded configuration; unset LAKESHIFT_CONFIG');
  }
  if (given.demo) return 'always';
  return given['no-demo'] || config !== null ? 'never' : 'first-time';
}

function parse(args: readonly string[]): {
  demo: boolean;
  'no-demo': boolean;
  exit: boolean;
  help: boolean;
  rows: string | undefined;
} {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { demo: flag, 'no-demo': flag, exit: flag, help: flag, rows: { type: 'string' } },
    });
    return { ...values, rows: values.rows };
  } catch (error) {
    throw new ToolFailure(`${error instanceof Error ? error.message : String(error)} (--help lists the options)`);
  }
}

const filled = (value: string | undefined): string | null => (value === undefined || value === '' ? null : value);

function port(env: NodeJS.ProcessEnv, variable: string, byDefault: number): number {
  const value = filled(env[variable]);
  return value === null ? byDefault : wholeNumber(value, variable, 0, 65_535);
}

function wholeNumber(text: string, name: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new ToolFailure(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
}
