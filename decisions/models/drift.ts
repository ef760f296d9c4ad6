import type { ModelHolds, ModelState, ModelQuestion } from '../../contracts/model.ts';
import { canonicalJson } from '../hash.ts';

/** What has to be read to see whether all is as it was planned. */
export const questionOf = ({ model, aliases, versions }: ModelHolds): ModelQuestion => ({
  model,
  aliases: aliases.map(({ alias }) => alias),
  versions: versions.map(({ version }) => version),
});

/** What is no longer as it was planned, in words; null: all is. */
export function driftOf(holds: ModelHolds, state: ModelState): string | null {
  if (state.createdAt === null) return `model ${holds.model} is gone`;
  if (state.createdAt !== holds.createdAt) return `model ${holds.model} is not the one that the plan was made for`;
  return aliasDrift(holds, state) ?? versionDrift(holds, state);
}

function aliasDrift({ model, aliases }: ModelHolds, state: ModelState): string | null {
  const moved = aliases.find(({ alias, version }) => (state.aliases[alias] ?? null) !== version);
  if (moved === undefined) return null;
  const now = state.aliases[moved.alias] ?? null;
  const planned = now === null ? `pointed to version ${moved.version ?? 'none'}` : `not to ${moved.version ?? 'any'}`;
  return `alias ${moved.alias} of ${model} ${pointing(now)}, and ${planned}`;
}

/** Where an alias points, in words. */
export const pointing = (version: string | null): string =>
  version === null ? 'is gone' : `points to version ${version}`;

function versionDrift({ model, versions }: ModelHolds, state: ModelState): string | null {
  for (const planned of versions) {
    const called = `version ${planned.version} of ${model}`;
    const now = state.versions.find(({ version }) => version === planned.version);
    if (now === undefined) return `${called} is gone`;
    if (now.createdAt !== planned.createdAt) return `${called} is not the one that the plan was made for`;
    if (now.status !== planned.status) return `${called} is ${now.status}, and was ${planned.status}`;
    if (canonicalJson(now.signature) !== canonicalJson(planned.signature)) return `${called} has another signature`;
  }
  return null;
}
