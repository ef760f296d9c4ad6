import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { checkRules } from './rules.ts';
import { errnoOf } from './errno.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import type { Config, Section } from './config.ts';
import { complete } from './defaults.ts';
import { withOverrides } from './overrides.ts';
import { resolveReferences, type ReferenceSource } from './references.ts';
import { checkSecrets } from './secrets.ts';
import { configRule, type ConfigFile } from './shape.ts';

/** What one process can do without. */
export interface LoadOptions {
  /** Sections whose references stay unresolved, because this process has no need for their secrets. */
  readonly without?: readonly Section[];
}

/**
 * Reads lakeshift.yaml (`LAKESHIFT_CONFIG`) and the environment's overrides, once.
 * Throws a `ConfigError` with everything that is wrong.
 */
export async function loadConfig(
  path?: string,
  env: NodeJS.ProcessEnv = process.env,
  { without = [] }: LoadOptions = {},
): Promise<Config> {
  const file = resolve(path ?? env['LAKESHIFT_CONFIG'] ?? 'lakeshift.yaml');
  const written = withOverrides(await readYaml(file), env);
  refuse(file, configRule(written, '').map(fromField));
  const checked = written as ConfigFile; // `configRule` has just looked at every field

  const literals = checkSecrets(checked);
  const { value, problems } = await resolveAll(checked, '', { env, folder: dirname(file) }, without);
  const config = complete(value as ConfigFile); // the same shape: only texts have changed
  const rules = checkRules(config, new Set([...literals, ...problems].map((problem) => problem.path)), without);
  refuse(file, [...literals, ...problems, ...rules]);
  return deepFreeze(config);
}

async function readYaml(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigError(file, [{ path: '', detail: `the file cannot be read (${errnoOf(error)})` }]);
  });
  const document = parseDocument(text, { prettyErrors: true });
  // Only the code and the place: a parser's own message quotes the line, which may hold a secret.
  refuse(
    file,
    document.errors.map(({ code, linePos }) => ({
      path: '',
      detail: `is not YAML: ${code.toLowerCase().replaceAll('_', ' ')} in line ${linePos?.[0].line ?? 0}`,
    })),
  );
  const content: unknown = document.toJS();
  return content ?? {};
}

function refuse(file: string, problems: readonly ConfigProblem[]): void {
  if (problems.length > 0) throw new ConfigError(file, problems);
}

const fromField = ({ pointer, ...rest }: { pointer: string; detail: string; didYouMean?: string }): ConfigProblem => ({
  path: pointer.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~'),
  ...rest,
  detail: rest.detail.replace('of a spec', 'of the configuration'),
});

/** Walks over all texts of the file and resolves their references; a skipped section keeps them as they are. */
async function resolveAll(
  value: unknown,
  path: string,
  source: ReferenceSource,
  skip: readonly string[],
): Promise<{ value: unknown; problems: ConfigProblem[] }> {
  if (skip.includes(path)) return { value, problems: [] };
  if (typeof value === 'string') {
    const resolved = await resolveReferences(value, source);
    if (resolved.ok) return { value: resolved.value, problems: [] };
    return { value, problems: resolved.details.map((detail) => ({ path, detail })) };
  }
  if (typeof value !== 'object' || value === null) return { value, problems: [] };
  const parts = await Promise.all(
    Object.entries(value).map(async ([field, item]) => ({
      field,
      ...(await resolveAll(item, path === '' ? field : `${path}.${field}`, source, skip)),
    })),
  );
  const problems = parts.flatMap((part) => part.problems);
  if (Array.isArray(value)) return { value: parts.map((part) => part.value), problems };
  return { value: Object.fromEntries(parts.map((part) => [part.field, part.value])), problems };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
