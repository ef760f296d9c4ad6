import { fieldOf, pairsIn } from './fields.ts';
import type { Registry } from './registry.ts';

/** A registered model, as the registry says. */
export interface Registered {
  /** Epoch ms. */
  readonly createdAt: number;
  /** The version by alias. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** Reads a model with its aliases and tags; null: there is none of this name. */
export async function readRegistered(registry: Registry, model: string): Promise<Registered | null> {
  const said = fieldOf(await registry.get('registered-models/get', { name: model }), 'registered_model');
  if (said === undefined) return null;
  return {
    createdAt: Number(fieldOf(said, 'creation_timestamp')),
    aliases: pairsIn(said, 'aliases', 'alias', 'version'),
    tags: pairsIn(said, 'tags', 'key', 'value'),
  };
}
