import type { NamedSql } from '../alteration.ts';
import { dollarQuoted, literal, quote } from '../identifier.ts';
import { tableOf, type Ours } from '../ours.ts';
import { ofKind, type Carried } from './carried.ts';

/** Gives the old column's default to the column that has taken its place. */
export function newDefault(ours: Ours, carried: Carried, column: string): readonly NamedSql[] {
  const { old, keepsValue, fresh, up } = carried.change;
  const [value] = ofKind(carried, 'default').flatMap(({ original }) => (original === null ? [] : [original]));
  if (value === undefined) return [];
  const alter = `ALTER TABLE ${tableOf(ours)} ALTER COLUMN ${quote(column)} SET DEFAULT`;
  if (keepsValue) return [['the default comes along', `${alter} ${value}`]];
  const converted = `(SELECT ${up} FROM (SELECT (${value})::${old.type} AS ${quote(old.name)}) AS lakeshift_in)`;
  return [
    [
      'the default comes along, converted',
      `DO ${dollarQuoted(` BEGIN EXECUTE format(${literal(`${escaped(alter)} %L::${fresh.type}`)}, ${converted}); END `)}`,
    ],
  ];
}

/** A sequence belongs to the column whose default draws from it. */
export const ownSequences = (ours: Ours, carried: Carried, column: string): readonly NamedSql[] =>
  carried.change.old.generated === 'identity'
    ? []
    : ofKind(carried, 'sequence').map(({ name, table }) => [
        `sequence ${name} belongs to ${column}`,
        `ALTER SEQUENCE ${table ?? ''} OWNED BY ${tableOf(ours)}.${quote(column)}`,
      ]);

/** Numbers beyond the old type are of no use before the contract, and there would be no more without it after. */
export const widenSequences = ({ change, items }: Carried): readonly NamedSql[] =>
  change.old.generated === 'identity' || !change.alwaysFits || !/^(?:bigint|int8)$/i.test(change.fresh.type)
    ? []
    : items
        .filter(({ kind }) => kind === 'sequence')
        .map(({ name, table }) => [
          `sequence ${name} goes on beyond the old type`,
          `ALTER SEQUENCE ${table ?? ''} AS bigint`,
        ]);

/**
 * Moves an identity from one column to another. Its sequence is made anew with the same name, place and options; what
 * was its type's own bound becomes that of the new type. Nobody draws from it meanwhile: the first statement waits for
 * those who have, and keeps out all others.
 */
export function moveIdentity(
  ours: Ours,
  carried: Carried,
  from: string,
  to: { readonly name: string; readonly type: string },
): readonly NamedSql[] {
  const [sequence] = ofKind(carried, 'sequence');
  if (carried.change.old.generated !== 'identity' || sequence?.table == null) return [];
  const name = sequence.table;
  const edges = (type: string): string =>
    `CASE ${type} WHEN 'smallint' THEN 32767 WHEN 'integer' THEN 2147483647 ELSE 9223372036854775807 END`;
  const wanted = `${literal(to.type)}::regtype::text`;
  return [
    [
      `identity and sequence ${sequence.name} move to ${to.name}`,
      `DO ${dollarQuoted(
        [
          ' DECLARE s pg_sequence; last_one bigint; was_called boolean; how text; top bigint; bottom bigint; BEGIN',
          `  SELECT * INTO STRICT s FROM pg_sequence WHERE seqrelid = ${literal(name)}::regclass;`,
          `  EXECUTE format(${literal(`ALTER SEQUENCE ${escaped(name)} CACHE %s`)}, s.seqcache);`,
          `  SELECT last_value, is_called INTO STRICT last_one, was_called FROM ${name};`,
          `  SELECT CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END INTO STRICT how FROM pg_attribute WHERE attrelid = ${literal(tableOf(ours))}::regclass AND attname = ${literal(from)};`,
          `  top := CASE WHEN s.seqmax = ${edges('s.seqtypid::regtype::text')} THEN ${edges(wanted)} ELSE s.seqmax END;`,
          `  bottom := CASE WHEN s.seqmin IN (-32768, -2147483648, -9223372036854775808) THEN -${edges(wanted)} - 1 ELSE s.seqmin END;`,
          `  ALTER TABLE ${tableOf(ours)} ALTER COLUMN ${quote(from)} DROP IDENTITY;`,
          `  EXECUTE format(${literal(`ALTER TABLE ${escaped(tableOf(ours))} ALTER COLUMN ${escaped(quote(to.name))} ADD GENERATED %s AS IDENTITY (SEQUENCE NAME ${escaped(name)} START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s %s)`)},`,
          `    how, s.seqstart, s.seqincrement, bottom, top, s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END);`,
          `  PERFORM setval(${literal(name)}::regclass, last_one, was_called);`,
          'END ',
        ].join('\n'),
      )}`,
    ],
  ];
}

/** A name inside a format. */
const escaped = (name: string): string => name.replaceAll('%', '%%');
