import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { lastLine } from './go.ts';
import { ToolFailure } from './tool-failure.ts';

/** A module of Go's, pinned. */
export interface GoModule {
  readonly path: string;
  /** With its `v`. */
  readonly version: string;
  /** What a go.sum says of its content, `h1:…`. */
  readonly sum: string;
}

const run = promisify(execFile);
const withinMs = 10 * 60_000;

/** Folder of the module's source in Go's own cache, where nothing may be changed. Fails when it can't be had or is another than the pinned one. */
export async function downloadGoModule(
  go: string,
  { path, version, sum }: GoModule,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string> {
  const name = `${path}@${version}`;
  // outside of any module, so that none of its rules apply
  const asked = run(go, ['mod', 'download', '-json', name], {
    cwd: tmpdir(),
    env,
    timeout: withinMs,
    ...(signal === undefined ? {} : { signal }),
  });
  const { stdout } = await asked.catch((error: unknown) => {
    throw new ToolFailure(`the Go module ${name} could not be fetched (${lastLine(error)})`);
  });
  // `go help mod download` describes it
  const found = JSON.parse(stdout) as { readonly Dir?: string; readonly Sum?: string };
  if (found.Sum !== sum || found.Dir === undefined) {
    throw new ToolFailure(
      `the Go module ${name} is not the one that we know: ${found.Sum ?? 'no sum'} instead of ${sum}`,
    );
  }
  return found.Dir;
}
