/** Environment variables that stand above the file, and the fields that they set. */
export const overrides = [
  { variable: 'LAKESHIFT_ENVIRONMENT', path: ['environment'], as: 'text' },
  { variable: 'LAKESHIFT_DATABASE_URL', path: ['ledger', 'url'], as: 'reference' },
  { variable: 'LAKESHIFT_TEMPORAL_UI', path: ['temporal', 'ui'], as: 'text' },
  { variable: 'LAKESHIFT_API_HOST', path: ['api', 'host'], as: 'text' },
  { variable: 'LAKESHIFT_API_PORT', path: ['api', 'port'], as: 'number' },
  { variable: 'LAKESHIFT_LOG_LEVEL', path: ['log', 'level'], as: 'text' },
] as const;

/** The file's content with the environment's values in it. A secret is set as a reference, never as its value. */
export function withOverrides(file: unknown, env: NodeJS.ProcessEnv): unknown {
  let content = file;
  for (const { variable, path, as } of overrides) {
    const value = env[variable];
    if (value === undefined || value === '') continue;
    content = put(content, path, { text: value, number: Number(value), reference: `\${env:${variable}}` }[as]);
  }
  return content;
}

/** A copy with one field set. What is no object on the way there is left alone, for the shape's check to name. */
function put(content: unknown, [field, ...rest]: readonly string[], value: unknown): unknown {
  if (field === undefined) return value;
  if (content === null || content === undefined) return { [field]: put(undefined, rest, value) };
  if (typeof content !== 'object' || Array.isArray(content)) return content;
  const fields: Record<string, unknown> = { ...content };
  return { ...fields, [field]: put(fields[field], rest, value) };
}
