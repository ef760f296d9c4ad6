import type { TableFacts } from '../../contracts/facts.ts';
import type { Finding, Risk } from '../../contracts/plan.ts';
import { droppedOf } from '../sql/postgres/alterations.ts';
import { isConverting, type Change } from '../sql/postgres/changes/change.ts';

/** How much could go wrong, in words. */
export function riskOf(changes: readonly Change[], facts: TableFacts): Omit<Risk, 'pointOfNoReturn'> {
  const drops = droppedOf(changes).length > 0;
  const because = [
    [drops, 'the last stage drops a column'],
    [(facts.rows ?? 0) > 10_000_000, 'more than ten million rows are rewritten'],
    [facts.key.length === 0, 'the table has no key: rows are told apart by their place'],
    [
      facts.triggers.some(({ beforeRow, enabled }) => beforeRow && enabled),
      "others' triggers fire on the rows that are rewritten",
    ],
  ].flatMap(([applies, text]) => (applies === true ? [String(text)] : []));
  if (because.length === 0) return { level: 'low', because: ['nothing is dropped and nothing large is rewritten'] };
  return { level: because.length > 2 ? 'high' : 'medium', because };
}

/** What rewriting rows may let an application notice, whatever we do: by code, what it is told. */
const felt: readonly (readonly [string, string])[] = [
  [
    'SNAPSHOT_WRITERS',
    'a transaction under REPEATABLE READ or SERIALIZABLE that updates, deletes or locks a row which the backfill has rewritten since its snapshot gets 40001 and must be repeated',
  ],
  [
    'ROW_LOCKS',
    'rows are locked while their chunk is rewritten, some milliseconds: NOWAIT fails on them (55P03), SKIP LOCKED passes them over',
  ],
];

/** What the facts say besides: nothing that forbids the change, but what its owner should know before the start. */
export function findingsOf(changes: readonly Change[], facts: TableFacts): readonly Finding[] {
  const old = new Set(droppedOf(changes));
  const noted = (code: string, detail: string): Finding => ({ code, level: 'noted', detail });
  const warned = (code: string, detail: string): Finding => ({ code, level: 'warned', detail });
  const rewritten = changes.some(isConverting);
  return [
    ...facts.triggers
      .filter(({ enabled }) => enabled && rewritten)
      .map(({ name }) => warned('OTHER_TRIGGER', `trigger ${name} fires for each row that the backfill rewrites`)),
    ...facts.views
      .filter(({ columns }) => columns.some((column) => old.has(column)))
      .map(({ name }) =>
        warned('VIEW_READS_OLD', `view ${name} reads the old column: it must move before the contract`),
      ),
    ...facts.publications.map((name) =>
      noted('PUBLISHED', `publication ${name} sends this table: subscribers need the new column first`),
    ),
    ...facts.foreignKeys
      .filter(({ incoming }) => incoming)
      .map(({ name, otherTable }) =>
        noted('REFERENCED', `foreign key ${name} of ${otherTable} points here; it is not touched`),
      ),
    ...(facts.key.length === 0 && rewritten
      ? [
          warned(
            'NO_KEY',
            'no primary key and no unique index over not-null columns: rows are told apart by their place',
          ),
        ]
      : []),
    ...changes.flatMap(({ findings }) => findings),
    ...(rewritten ? felt.map(([code, detail]) => noted(code, detail)) : []),
    ...(facts.rows === null
      ? [
          {
            code: 'ROWS_UNKNOWN',
            level: 'unknown',
            detail: 'the table was never analysed: no estimate',
          } satisfies Finding,
        ]
      : []),
  ];
}
