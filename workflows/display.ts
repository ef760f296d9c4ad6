import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { currentDetails } from '../decisions/current-details.ts';
import { percentOf } from '../decisions/progress.ts';
import type { Run } from './run.ts';

/**
 * Shows a deployment in Temporal's own UI: the plan as a checklist, and search attributes to find it by. Their names
 * begin with a prefix from the configuration; without one the namespace has none of them, and none are set.
 */
export function openDisplay(run: Run): () => void {
  let shown = '';
  return () => {
    setCurrentDetails(currentDetails(run.plan, run.status()));
    const prefix = run.input.searchAttributePrefix ?? null;
    if (prefix === null) return;
    const attributes = searchAttributes(prefix, run);
    const text = JSON.stringify(attributes);
    // Each upsert is an event of the history: only when something is new.
    if (text !== shown) upsertSearchAttributes(attributes);
    shown = text;
  };
}

function searchAttributes(prefix: string, run: Run): SearchAttributePair[] {
  const { plan, progress } = run;
  const { phase, stage } = run.status();
  const keyword = (name: string, value: string): SearchAttributePair => ({
    key: defineSearchAttributeKey(`${prefix}${name}`, 'KEYWORD'),
    value,
  });
  return [
    keyword('Environment', plan.environment),
    keyword('Target', plan.target),
    keyword('Strategy', plan.strategy),
    keyword('Phase', phase),
    keyword('Stage', stage ?? 'ended'),
    keyword('PlanHash', plan.hash),
    { key: defineSearchAttributeKey(`${prefix}Progress`, 'INT'), value: percentOf(progress) },
    ...(progress.deadline === null
      ? []
      : [{ key: defineSearchAttributeKey(`${prefix}Deadline`, 'DATETIME'), value: new Date(progress.deadline) }]),
  ];
}
