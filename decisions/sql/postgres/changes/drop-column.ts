import type { ColumnFacts } from '../../../../contracts/facts.ts';
import type { DropColumnSpec } from '../../../../contracts/spec.ts';
import { isNull } from '../compare.ts';
import { literal, parseName, quote } from '../identifier.ts';
import { keyOf } from '../misfits.ts';
import type { Ours } from '../ours.ts';
import { cast, plain, type ReadChange } from './change.ts';
import { fillMissing } from './parts.ts';

/**
 * A column that goes. Until the contract both applications live: the one that names the column, and the one that no
 * longer does, whose rows get their value from `down`, so that going back finds every row complete.
 */
export const dropColumn: ReadChange<DropColumnSpec> = (spec, index, columns) => {
  const column = columns.find(({ name }) => name === parseName(spec.drop));
  if (column === undefined) return null;
  const down = spec.down === undefined ? null : cast(spec.down, column.type);
  return {
    ...plain,
    index,
    classification: {
      change: `drop ${column.name} ${column.type}`,
      class: 'unsafe',
      because:
        'whoever still names the column fails at once and its values are gone; made safe by a grace period, evidence and an approval',
    },
    title: `keep column ${column.name} for those who still name it`,
    columns: [column.name],
    dropped: column.name,
    moves: true,
    lifted: needsDown(column) ? column.name : null,
    expressions: down === null ? [] : [{ field: 'down', type: column.type, sql: down, reads: null }],
    sync: down === null ? null : (ours) => fill(ours, column, down),
  };
};

/** A writer that no longer names the column would be refused. */
export const needsDown = ({ notNull, hasDefault, generated }: ColumnFacts): boolean =>
  notNull && !hasDefault && generated === 'no';

/** A row for which `down` has no value is written all the same and counted: going back would find it incomplete. */
const fill = (ours: Ours, column: ColumnFacts, down: string): string =>
  needsDown(column)
    ? [
        fillMissing(column, down),
        `IF ${isNull(column.type, `NEW.${quote(column.name)}`)} THEN`,
        '  BEGIN',
        `    INSERT INTO ${quote(ours.homeSchema)}.misfits (mark, key) VALUES (${literal(ours.mark)}, ${keyOf(ours, 'NEW.')}) ON CONFLICT DO NOTHING;`,
        '  EXCEPTION WHEN OTHERS THEN NULL;',
        '  END;',
        'END IF;',
      ].join('\n')
    : `IF TG_OP = 'INSERT' THEN\n${fillMissing(column, down)}\nEND IF;`;
