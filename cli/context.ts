import type { Client } from './client.ts';
import type { ExitName } from './exit-codes.ts';
import type { Style } from './render/style.ts';

/** The world as commands see it; tests hand in their own. */
export interface Io {
  /** Standard output, as it comes. */
  readonly out: (text: string) => void;
  /** Standard error: what is said to people beside the answer. */
  readonly err: (text: string) => void;
  readonly env: NodeJS.ProcessEnv;
  readonly isTerminal: boolean;
  /** Epoch ms. */
  readonly now: () => number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** What a command works with. */
export interface Context extends Io {
  readonly client: Client;
  readonly json: boolean;
  readonly style: Style;
}

/** Prints one answer: a document for programs, or text for people. */
export function print(context: Context, document: unknown, text: () => string): void {
  context.out(`${context.json ? JSON.stringify(document, null, 2) : text()}\n`);
}

/** A command's own work; its answer is the exit. Throws ApiProblem, Unreachable or Refused. */
export type Work = (context: Context) => Promise<ExitName>;
