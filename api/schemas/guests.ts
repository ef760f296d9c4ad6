import { Type } from 'typebox';
import type { EjectView, ExportView, GrantsView } from '../../contracts/api.ts';
import { exportForms } from '../../contracts/catalog.ts';
import { listOf, nullable, open, text, yesNo } from './words.ts';

/** The statements that give our role its rights. */
export const GrantsSchema = Type.Unsafe<GrantsView>(
  open(
    {
      target: text('The target'),
      role: text('Our role'),
      table: nullable(text('schema.table'), 'The table they are for; null: none was named'),
      grants: listOf(
        open(
          {
            id: text('A word for it'),
            sql: text('The statement'),
            note: text('What it is good for, or what is refused without it'),
            needed: yesNo('false: it only makes more visible'),
            there: nullable(yesNo('Given already'), 'Null: nobody could see'),
          },
          'One statement',
        ),
        'In the order in which they are run',
      ),
    },
    'The rights that our role needs in a target',
  ),
);

/** A script for a half-done change. */
export const EjectSchema = Type.Unsafe<EjectView>(
  open(
    {
      id: text('The deployment\u2019s id'),
      way: Type.Enum(['back', 'finish'], { description: 'Which way it goes' }),
      stage: nullable(text('A stage'), 'Where the ledger believes the deployment to be'),
      sql: text('The script'),
    },
    'Plain SQL, to be run in the target',
  ),
);

/** Whose form. */
export const ExportFormName = Type.Enum([...exportForms], { description: 'Whose form it is written in' });

/** A migration of another tool. */
export const ExportSchema = Type.Unsafe<ExportView>(
  open(
    {
      id: text('The deployment\u2019s id'),
      form: ExportFormName,
      path: text('Where that tool looks for it'),
      text: text('The file'),
      how: text('How it is kept from running where the change is made already'),
    },
    'The finished change, in the form of another tool',
  ),
);
