import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type pg from 'pg';

/** The statements of a script, each by itself, as psql sends them. */
export function statementsOf(script: string): string[] {
  const token = /--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$\w*\$)[\s\S]*?\1|;|[^;]/g;
  const statements: string[] = [];
  let current = '';
  for (const [text] of script.matchAll(token)) {
    if (text === ';') {
      statements.push(current);
      current = '';
    } else if (!text.startsWith('--')) current += text;
  }
  return [...statements, current].map((sql) => sql.trim()).filter((sql) => sql !== '');
}

/** Runs a script statement by statement and gives what the server said besides; stops at the first error. */
export async function runScript(client: pg.Client, script: string): Promise<string[]> {
  const notices: string[] = [];
  const hear = ({ message }: { message?: string | undefined }): void => void notices.push(message ?? '');
  client.on('notice', hear);
  try {
    for (const sql of statementsOf(script)) await client.query(sql);
  } finally {
    client.off('notice', hear);
  }
  return notices;
}

/** psql, where it is installed. */
export const psql = ['/usr/bin/psql', '/usr/local/bin/psql', '/opt/homebrew/bin/psql'].find((path) => existsSync(path));

/** Runs a script as a person would; psql goes on after an error unless it is told not to. */
export async function runPsql(program: string, url: string, script: string, file: string): Promise<string> {
  await writeFile(file, script);
  const { stdout, stderr } = await promisify(execFile)(program, ['-X', '-q', '-f', file, url]);
  return `${stdout}${stderr}`;
}
