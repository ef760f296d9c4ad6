import { strategies, type Strategy } from '../contracts/catalog.ts';

/** A target that a spec names, and what is to be done there. */
export interface NamedTarget {
  readonly pointer: string;
  readonly name: string;
  /** Null: the spec does not say what. */
  readonly strategy: Strategy | null;
}

/** The targets' names as far as they can be read, so that unknown ones are named together with all other mistakes. */
export function targetsIn(body: unknown): readonly NamedTarget[] {
  const named = strategies.find((one) => one === fieldOf(body, 'strategy')) ?? null;
  if (named !== 'release') return targetAt(body, '', named);
  return [...each(body, 'tables', 'expand-contract'), ...each(body, 'services', 'canary')];
}

function each(body: unknown, field: string, strategy: Strategy): readonly NamedTarget[] {
  const list = fieldOf(body, field);
  return Array.isArray(list) ? list.flatMap((item, index) => targetAt(item, `/${field}/${index}`, strategy)) : [];
}

function targetAt(value: unknown, at: string, strategy: Strategy | null): readonly NamedTarget[] {
  const name = fieldOf(value, 'target');
  return typeof name === 'string' && /^[\w.-]{1,60}$/.test(name) ? [{ pointer: `${at}/target`, name, strategy }] : [];
}

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === field)?.[1] : undefined;
