import type { ModelFacts, ModelLooks, ModelQuestion, ModelState, VersionFacts } from '../../contracts/model.ts';
import { holdersIn } from './claim.ts';
import { fieldOf, listIn, textIn } from './fields.ts';
import { readRegistered } from './read-registered.ts';
import type { Registry } from './registry.ts';
import { signatureIn } from './signature.ts';

/** Where aliases of a model point, and what versions of it are; touches nothing. */
export async function readModel(registry: Registry, question: ModelQuestion): Promise<ModelState> {
  const found = await readRegistered(registry, question.model);
  return stateOf(registry, question, found);
}

/** All that a plan has to know of a model; touches nothing. */
export async function lookModel(
  registry: Registry,
  { model, version, stable, candidate }: ModelLooks,
): Promise<Omit<ModelFacts, 'route'>> {
  const found = await readRegistered(registry, model);
  const inService = found?.aliases[stable];
  const versions = [version, ...(inService === undefined || inService === version ? [] : [inService])];
  const state = await stateOf(registry, { model, aliases: [stable, candidate], versions }, found);
  const holder = found === null ? undefined : holdersIn(found.tags)[0];
  return { ...state, holder: holder ?? null, nearby: found === null ? await namesIn(registry) : [] };
}

async function stateOf(
  registry: Registry,
  { model, aliases, versions }: ModelQuestion,
  found: Awaited<ReturnType<typeof readRegistered>>,
): Promise<ModelState> {
  if (found === null) return { createdAt: null, aliases: {}, versions: [] };
  const read = await Promise.all(versions.map((version) => readVersion(registry, model, version)));
  return {
    createdAt: found.createdAt,
    aliases: Object.fromEntries(aliases.map((alias) => [alias, found.aliases[alias] ?? null])),
    versions: read.filter((version) => version !== null),
  };
}

async function readVersion(registry: Registry, model: string, version: string): Promise<VersionFacts | null> {
  const said = fieldOf(await registry.get('model-versions/get', { name: model, version }), 'model_version');
  if (said === undefined) return null;
  const file = await registry.file(model, version, 'MLmodel');
  return {
    version,
    // the field came late: a registry that says nothing of it has only what can be used
    status: textIn(said, 'status') || 'READY',
    createdAt: Number(fieldOf(said, 'creation_timestamp')),
    signature: file === null ? null : signatureIn(file),
  };
}

const mostNames = 1_000;

async function namesIn(registry: Registry): Promise<readonly string[]> {
  const said = await registry.get('registered-models/search', { max_results: String(mostNames) });
  return listIn(said, 'registered_models').map((model) => textIn(model, 'name'));
}
