import type { Connection } from '@temporalio/client';

/** Our search attributes without their prefix, and their types as the Temporal CLI writes them. */
export const searchAttributes = {
  Environment: 'Keyword',
  Target: 'Keyword',
  Strategy: 'Keyword',
  Phase: 'Keyword',
  Stage: 'Keyword',
  PlanHash: 'Keyword',
  Progress: 'Int',
  Deadline: 'Datetime',
} as const;

/** What Temporal's API numbers the types. */
const typeNumbers = { Keyword: 2, Int: 3, Datetime: 6 } as const;

/** What became of the registration. */
export interface SearchAttributeState {
  /** Whether all are there, so that workflows may set them. */
  readonly ready: boolean;
  /** Commands for whoever may register what is missing. */
  readonly commands: readonly string[];
  /** Why they could not be registered, or null. */
  readonly because: string | null;
}

/** Where and under which names they are wanted. */
export interface SearchAttributeOptions {
  readonly namespace: string;
  readonly prefix: string;
  /** Whether we may register them ourselves. */
  readonly register: boolean;
}

/**
 * Looks for our search attributes and registers what is missing, if that is allowed. Never throws for lack of rights:
 * without them deployments run all the same, they are only harder to find in Temporal's own list.
 */
export async function ensureSearchAttributes(
  { operatorService }: Pick<Connection, 'operatorService'>,
  { namespace, prefix, register }: SearchAttributeOptions,
): Promise<SearchAttributeState> {
  const wanted = Object.entries(searchAttributes).map(([name, type]) => ({ name: `${prefix}${name}`, type }));
  let missing: readonly { name: string; type: keyof typeof typeNumbers }[] = wanted;
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const known = new Set(Object.keys(customAttributes));
    missing = wanted.filter(({ name }) => !known.has(name));
    if (missing.length === 0) return { ready: true, commands: [], because: null };
    if (register) {
      await operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map(({ name, type }) => [name, typeNumbers[type]])),
      });
      return { ready: true, commands: [], because: null };
    }
  } catch (error) {
    return { ready: false, commands: commandsFor(missing, namespace), because: grpcReason(error) };
  }
  return { ready: false, commands: commandsFor(missing, namespace), because: 'the configuration says not to register' };
}

const commandsFor = (missing: readonly { name: string; type: string }[], namespace: string): string[] =>
  missing.map(
    ({ name, type }) =>
      `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${type}`,
  );

/** The server's one-line reason: it speaks of names and rights, never of values. */
const grpcReason = (error: unknown): string => {
  if (!(error instanceof Error)) return 'Temporal gave no reason';
  return 'details' in error && typeof error.details === 'string' ? error.details : error.name;
};
