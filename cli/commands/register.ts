import type { Command } from 'commander';
import type { Work } from '../context.ts';
import type { GlobalOptions } from '../settings.ts';

/** Runs a command's work in its context and keeps its exit. */
export type Run = (options: GlobalOptions, work: Work) => Promise<void>;

/** Adds one command, or a family of them, to the program. */
export type Register = (program: Command, run: Run) => void;
