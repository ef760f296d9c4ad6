import { quote } from '../identifier.ts';

/** PL/pgSQL: a column that the writer left empty gets its value; what can't be computed stays NULL. */
export const fillMissing = (column: string, value: string): string =>
  [
    `IF NEW.${quote(column)} IS NULL THEN`,
    '  BEGIN',
    `    NEW.${quote(column)} := (SELECT ${value} FROM (SELECT NEW.*) AS lakeshift_row);`,
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
