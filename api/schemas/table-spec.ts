import { Type } from 'typebox';
import { acceptances, conflictPolicies, failurePolicies, misfitPolicies } from '../../contracts/catalog.ts';
import { wordForms } from '../../decisions/spec-words.ts';
import { durationPattern } from '../../decisions/duration.ts';
import { timesPattern } from '../../decisions/times.ts';
import { nameForms } from '../../decisions/sql/postgres/identifier.ts';
import { Group, Notify, specName, strategy } from './spec-parts.ts';
import { closed, text, whole, yesNo } from './words.ts';

const column = (description: string, ...examples: readonly string[]) =>
  text(description, { pattern: nameForms.column.source, examples: [...examples] });
const expression = (description: string, ...examples: readonly string[]) =>
  text(description, { pattern: '\\S', maxLength: 2_000, examples: [...examples] });

const columnName = (description: string) => text(description, { pattern: nameForms.name.source, examples: ['amount'] });

const AddColumn = closed(
  {
    add: column('New column: name and type', 'note text', 'currency_code char(3)'),
    up: Type.Optional(
      expression(
        'SQL expression over the row that gives existing rows their value',
        "upper(coalesce(currency, 'EUR'))",
      ),
    ),
    default: Type.Optional(expression('SQL constant that new rows get when they name none', "'EUR'", '0')),
  },
  'A new column',
);

const leaveBehind = Type.Optional(
  Type.Array(text('Name of an index or constraint', { minLength: 1, examples: ['payments_amount_check'] }), {
    description: 'What hangs on the old column and does not come along',
    minItems: 1,
    maxItems: 50,
  }),
);

const ChangeType = closed(
  {
    type: columnName('The column that is there today'),
    to: column('New column: name and type; with its own name the cutover exchanges the two', 'amount_cents bigint'),
    up: Type.Optional(
      expression('SQL expression: new value from the old column; absent: a cast', 'round(amount * 100)'),
    ),
    down: Type.Optional(
      expression('SQL expression: old value from the new column; absent: a cast', 'amount_cents / 100.0'),
    ),
    leaveBehind,
    misfits: Type.Optional(
      Type.Enum([...misfitPolicies], {
        description: 'What happens to a write whose new value the old column can not hold',
        default: 'count',
      }),
    ),
  },
  'A column\u2019s value in another type, under another name or its own',
);

const RenameColumn = closed(
  { rename: columnName('The column\u2019s name today'), to: columnName('Its name to be'), leaveBehind },
  'A column under another name',
);

const DropColumn = closed(
  {
    drop: columnName('The column that goes'),
    down: Type.Optional(expression('SQL expression: its value in rows of writers that no longer name it', '0')),
  },
  'A column that goes',
);

const SetNotNull = closed(
  {
    notNull: columnName('The column that may no longer be empty'),
    up: Type.Optional(expression('SQL expression: the value of rows that have none', "'unknown'")),
  },
  'A column that may no longer be empty',
);

const AnyApprover = { description: 'Any approver' };

const fields = {
  target: text('Name of a database in the configuration', { pattern: wordForms.target.source, examples: ['shop'] }),
  table: text('schema.table; each part is quoted as in SQL when it needs it', {
    pattern: nameForms.table.source,
    examples: ['public.payments', 'public."Payments"'],
  }),
  changes: Type.Array(
    Type.Union([AddColumn, ChangeType, DropColumn, RenameColumn, SetNotNull], { description: 'One change' }),
    {
      description: 'What changes; no column is named twice',
      minItems: 1,
      maxItems: 20,
    },
  ),
  conflict: Type.Optional(
    Type.Enum([...conflictPolicies], {
      description: 'Who wins when one write sets both shapes and they disagree',
      default: 'old-wins',
    }),
  ),
  backfill: Type.Optional(
    closed(
      {
        rate: Type.Optional(
          whole('Rows per second at the most; default: as fast as the application allows', {
            minimum: 1,
            maximum: 10_000_000,
            examples: [50_000],
          }),
        ),
      },
      'How old rows are rewritten',
    ),
  ),
  protect: Type.Optional(
    closed(
      {
        metrics: Type.Optional(
          text('Name of a metrics source in the configuration', {
            pattern: wordForms.target.source,
            examples: ['shop-prometheus'],
          }),
        ),
        probe: Type.Optional(yesNo('True: our own probe, which is the default; false: nothing is measured')),
        p99: Type.Optional(
          text('How many times its p99 without us it may be; default `1.5x`', {
            pattern: timesPattern.source,
            examples: ['1.5x'],
          }),
        ),
      },
      'What keeps the application quick while rows are rewritten',
    ),
  ),
  cutover: Type.Optional(
    closed(
      {
        after: Type.Optional(
          text('Name or id of a deployment that must have been deployed', {
            pattern: '\\S',
            examples: ['checkout-4-2'],
          }),
        ),
        accept: Type.Optional(
          Type.Enum([...acceptances], {
            description: 'What the application may feel, once; a type that changes under its name demands it',
          }),
        ),
        approve: Type.Optional(
          Type.Union([Type.Boolean({ description: 'true: any approver; false: nobody, only with `after`' }), Group], {
            description: 'Who must say that the application has moved',
          }),
        ),
      },
      'When the new shape leads',
    ),
  ),
  contract: Type.Optional(
    closed(
      {
        after: Type.Optional(
          text('How long the old shape is kept after the cutover, at most a year', {
            pattern: durationPattern,
            default: '7d',
            examples: ['90s', '12h', '7d', 'P7D'],
          }),
        ),
        approve: Type.Optional(
          Type.Union([Type.Literal(true, AnyApprover), Group], { description: 'Who must approve the drop' }),
        ),
        notBy: Type.Optional(Type.Enum(['author'], { description: 'Who started may not approve' })),
        approvals: Type.Optional(
          whole('How many different people must approve', { minimum: 1, maximum: 10, default: 1 }),
        ),
      },
      'When the old shape goes',
    ),
  ),
};

/** The same without name and strategy, as a part of a release. */
export const TablePart = closed(fields, 'Another shape of a table');

/** Another shape of a table. */
export const TableSpecSchema = closed(
  {
    name: specName('payments-cents'),
    strategy: strategy('expand-contract', 'Add the new shape, convert, move, drop the old one'),
    ...fields,
    onFailure: Type.Optional(
      Type.Enum([...failurePolicies], {
        description: 'What happens when a stage is broken: a person is called, or all is taken back',
        default: 'park',
      }),
    ),
    notify: Notify,
  },
  'Another shape of a table',
);
