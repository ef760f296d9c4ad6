import type { BackfillStage } from '../../contracts/plan.ts';
import { literal, quote } from '../sql/postgres/identifier.ts';
import { bound, quoted, remember, step, tries, type Ejected } from './eject-blocks.ts';

/** Pages that one chunk goes over: small enough that nobody waits long for a row of it. */
const pages = 32;

/** In plans of before: the parameters `$9` and `$10` by which a chunk takes all rows of its pages. */
const allParts = ({ parts, cuts }: BackfillStage): string => {
  if (parts !== undefined) return '';
  return cuts === undefined ? ', 1, 0' : `, 0, ${cuts.at(-1) ?? 1}`;
};

/** One chunk of all rows of its pages; that of a partitioned table is written for one leaf, of which the barrier tells name and number. */
function chunkSql({ chunk }: BackfillStage): string {
  const sql = quoted(chunk.sql.replace('{part}', 'true'));
  return chunk.sql.includes('{heap}')
    ? `replace(replace(${sql}, '{heap}', eject_heap ->> 'name'), '{oid}', eject_heap ->> 'heap')`
    : sql;
}

/** Every heap as the barrier shows it, guarded; `files`: each with the file that it is in. */
const lookedAt = (stage: BackfillStage, ejected: Ejected, files: string): readonly string[] => [
  `EXECUTE ${quoted(`SELECT jsonb_agg(to_jsonb(seen)) FROM (${bound(stage.barrier, ejected)}) AS seen`)} INTO eject_heaps;`,
  `IF (SELECT NOT bool_and(coalesce((h ->> 'guarded')::boolean, false)) FROM jsonb_array_elements(eject_heaps) AS h) THEN RAISE EXCEPTION 'our trigger or a new column is gone, or the trigger is disabled: writes may have passed it'; END IF;`,
  `SELECT string_agg(concat(h ->> 'heap', ' ', h ->> 'filenode'), ', ' ORDER BY h ->> 'heap') INTO ${files} FROM jsonb_array_elements(eject_heaps) AS h;`,
];

/** Every page of every heap once more; rows that have their value are passed over: it can be ended and run again at will. `unless`: nothing is left to rewrite. */
export function backfill(stage: BackfillStage, ejected: Ejected, unless: readonly string[]): readonly string[] {
  const loop = step(
    ejected,
    'backfill: the rows that are left, chunk by chunk, each a transaction of its own.\nIt may be ended at any time: run again, it passes over what is done. It must not stand inside BEGIN and COMMIT.',
    [
      tries,
      'eject_heaps jsonb; eject_heap jsonb; eject_was text; eject_is text; eject_page bigint; eject_seq bigint; eject_fence bigint;',
    ],
    [
      ...unless,
      ...lookedAt(stage, ejected, 'eject_was'),
      'FOR eject_n IN 0 .. jsonb_array_length(eject_heaps) - 1 LOOP',
      '  eject_heap := eject_heaps -> eject_n; eject_page := 0;',
      `  WHILE eject_page < (eject_heap ->> 'pages')::float8 LOOP`,
      ...chunks(stage, ejected).map((line) => `    ${line}`),
      '  END LOOP;',
      'END LOOP;',
      ...lookedAt(stage, ejected, 'eject_is'),
      `IF eject_is IS DISTINCT FROM eject_was THEN RAISE EXCEPTION 'the table was rewritten meanwhile, or has other partitions; run this script again'; END IF;`,
    ],
  );
  const done = step(ejected, 'every page was gone over', [], [remember('backfilled', ejected)]);
  // RESET ALL comes before the word is kept, for it would take that too
  const settings = stage.session.map(({ sql, note }) => `${sql}; -- ${note}`).join('\n');
  const role = stage.session.some(({ sql }) => sql.startsWith('SET ROLE')) ? 'RESET ROLE;\n' : '';
  return [`-- settings of the backfill\n${settings}`, loop, `${role}RESET ALL;\n${done}`];
}

/** One chunk, or a moment's wait for those who hold its rows. */
function chunks(stage: BackfillStage, ejected: Ejected): readonly string[] {
  const progress = `${quote(ejected.plan.object.homeSchema)}.progress`;
  const mine = `deployment = ${literal(ejected.deployment)} AND stage = 'backfill' AND shard = 0`;
  return [
    'BEGIN',
    `  SELECT seq, fence INTO STRICT eject_seq, eject_fence FROM ${progress} WHERE ${mine};`,
    `  EXECUTE ${chunkSql(stage)}`,
    `    USING ${literal(ejected.deployment)}, 0, eject_seq, eject_fence, eject_page + ${pages}, 0, format('(%s,0)', eject_page), format('(%s,0)', eject_page + ${pages})${allParts(stage)};`,
    `  eject_page := eject_page + ${pages}; eject_tries := 0;`,
    'EXCEPTION WHEN lock_not_available OR deadlock_detected THEN',
    '  eject_tries := eject_tries + 1;',
    `  IF eject_tries >= 1200 THEN RAISE EXCEPTION 'the application holds rows of page % and after; run this script again', eject_page; END IF;`,
    '  PERFORM pg_sleep(0.05);',
    'END;',
    'COMMIT;',
  ];
}
