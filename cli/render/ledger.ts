import type { Move } from '../../ledger/index.ts';
import type { RebuildReport } from '../ledger/rebuild.ts';
import { some } from './format.ts';
import type { Style } from './style.ts';
import { table } from './text.ts';

/** What the ledger got back, and what nobody can give back. */
export function renderRebuilt({ deployments, unanswered, others }: RebuildReport, style: Style): string {
  const rows = deployments.map(({ id, phase, wasKnown, lostEvents }) => [
    id,
    phase,
    wasKnown ? 'was there' : 'written back',
    lostEvents === 0 ? '' : `${some(lostEvents, 'event')} lost`,
  ]);
  const missing = unanswered.map(({ id, because }) => style.bad(`${id}: not asked (${because}); run this again`));
  return [
    ...table(rows).map((line) => line.trimEnd()),
    ...missing,
    ...(others === 0 ? [] : [`${some(others, 'deployment')} of other environments left alone`]),
    style.dim('what had ended and is no longer in Temporal, and lost events, come back from a backup only'),
  ].join('\n');
}

/** How many rows of each table, where there are any. */
export function renderRows(head: string, rows: Readonly<Record<string, number>>): string {
  const filled = Object.entries(rows).filter(([, count]) => count > 0);
  const tables = filled.map(([table, count]) => `${some(count, 'row')} of ${table}`);
  return `${head} ${tables.length === 0 ? 'nothing: the ledger is empty' : tables.join(', ')}`;
}

/** Which migrations were done or taken back. */
export function renderMoves(moves: readonly Move[], version: number): string {
  if (moves.length === 0) return `nothing to do: the ledger has the form of migration ${version}`;
  const lines = moves.map(({ name, direction }) => `${direction === 'up' ? 'done' : 'taken back'}  ${name}`);
  const isBack = moves.some(({ direction }) => direction === 'down');
  return [
    ...lines,
    ...(isBack
      ? ['what the older form has no place for is put aside in the ledger and comes back when it goes forwards again']
      : []),
  ].join('\n');
}
