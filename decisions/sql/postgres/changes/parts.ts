import { isNull } from '../compare.ts';
import { quote } from '../identifier.ts';

/** PL/pgSQL: a column that the writer left empty gets its value; what can't be computed stays NULL. */
export const fillMissing = (column: { readonly name: string; readonly type: string }, value: string): string =>
  [
    `IF ${isNull(column.type, `NEW.${quote(column.name)}`)} THEN`,
    '  BEGIN',
    `    NEW.${quote(column.name)} := (SELECT ${value} FROM (SELECT NEW.*) AS lakeshift_row);`,
    '  EXCEPTION WHEN OTHERS THEN NULL;',
    '  END;',
    'END IF;',
  ].join('\n');

/** PL/pgSQL: judges one row `r` by one condition; what fails is wrong. */
export const judgedWith = (right: string): readonly string[] => [
  `  SELECT ${right} INTO lakeshift_up FROM (SELECT (lakeshift_row).*) AS r;`,
  `  RETURN CASE WHEN lakeshift_up THEN 'right' ELSE 'wrong' END;`,
  `EXCEPTION WHEN OTHERS THEN RETURN 'wrong';`,
];
