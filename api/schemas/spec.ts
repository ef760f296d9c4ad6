import { Type } from 'typebox';
import { conflictPolicies, failurePolicies, misfitPolicies, strategies } from '../../contracts/catalog.ts';
import { closed, listOf, text, whole, yesNo } from './words.ts';

const AddColumn = closed(
  {
    add: text('New column: name and type, for example `note text`'),
    up: Type.Optional(text('SQL expression over the row that gives existing rows their value')),
    default: Type.Optional(text('SQL constant that new rows get when they name none')),
  },
  'A new column',
);

const ChangeType = closed(
  {
    type: text('The column that is there today'),
    to: text('New column: name and type, for example `amount_cents bigint`'),
    up: text('SQL expression: new value from the old column'),
    down: text('SQL expression: old value from the new column'),
    misfits: Type.Optional(
      Type.Enum([...misfitPolicies], {
        description: 'What happens to a write whose new value the old column can not hold',
      }),
    ),
  },
  'A column\u2019s value in another type, in a column of another name',
);

const DropColumn = closed(
  {
    drop: text('The column that goes'),
    down: Type.Optional(text('SQL expression: its value in rows of writers that no longer name it')),
  },
  'A column that goes',
);

const SetNotNull = closed(
  {
    notNull: text('The column that may no longer be empty'),
    up: Type.Optional(text('SQL expression: the value of rows that have none')),
  },
  'A column that may no longer be empty',
);

const Approve = Type.Union(
  [Type.Boolean({ description: 'Any approver' }), Type.String({ description: 'A member of this group' })],
  { description: 'Who must approve' },
);

/**
 * The spec for people, editors and clients. What is true of a spec beyond its shape is checked by
 * `decisions/check-spec.ts`, which is what the routes use: it names all mistakes at once.
 */
export const SpecSchema = closed(
  {
    name: text('Lower-case letters, digits and dashes; the deployment\u2019s id begins with it'),
    strategy: Type.Enum([...strategies], { description: 'How to get from the old shape to the new one' }),
    target: text('Name of a database in the configuration'),
    table: text('schema.table'),
    changes: listOf(
      Type.Union([AddColumn, ChangeType, DropColumn, SetNotNull], { description: 'One change' }),
      'What changes, 1 to 20',
    ),
    conflict: Type.Optional(
      Type.Enum([...conflictPolicies], { description: 'Who wins when one write sets both shapes and they disagree' }),
    ),
    backfill: Type.Optional(
      closed({ rate: Type.Optional(whole('Rows per second at the most')) }, 'How old rows are rewritten'),
    ),
    protect: Type.Optional(
      closed(
        {
          metrics: Type.Optional(text('Name of a metrics source in the configuration')),
          probe: Type.Optional(yesNo('True: our own probe, which is the default; false: nothing is measured')),
          p99: Type.Optional(text('How many times its p99 without us it may be, for example `1.5x`')),
        },
        'What keeps the application quick while rows are rewritten',
      ),
    ),
    cutover: Type.Optional(
      closed(
        {
          after: Type.Optional(text('Name or id of a deployment that must have been deployed')),
          approve: Type.Optional(Approve),
        },
        'When the new shape leads',
      ),
    ),
    contract: Type.Optional(
      closed(
        {
          after: Type.Optional(text('How long the old shape is kept, for example `7d`')),
          approve: Type.Optional(Approve),
          notBy: Type.Optional(Type.Enum(['author'], { description: 'Who started may not approve' })),
          approvals: Type.Optional(whole('How many different people must approve')),
        },
        'When the old shape goes',
      ),
    ),
    onFailure: Type.Optional(Type.Enum([...failurePolicies], { description: 'What happens when a stage is broken' })),
  },
  'What a caller wishes',
);
