import { Type } from 'typebox';
import type { Plan } from '../../contracts/plan.ts';
import { dialects, stageKinds, strategies } from '../../contracts/catalog.ts';
import { FindingSchema } from './problem.ts';
import { SpecSchema } from './spec.ts';
import { listOf, nullable, open, text, whole, yesNo } from './words.ts';

const ApprovalNeedSchema = open(
  {
    group: nullable(text('Name of the group'), 'Null: any approver'),
    count: whole('How many different people'),
    notByAuthor: yesNo('Who started the deployment does not count'),
  },
  'An approval that must be given before the stage begins',
);

const StageSchema = open(
  {
    kind: Type.Enum([...stageKinds], { description: 'What kind of stage it is; it decides the further fields' }),
    name: text('Unique in the plan; what orders name as the expected stage'),
    title: text('One line for people'),
    undoTitle: nullable(text('One line'), 'What taking it back does; null: it can\u2019t be taken back'),
    approve: nullable(ApprovalNeedSchema, 'Null: it begins by itself'),
    estimateMs: nullable(Type.Number({ description: 'Milliseconds' }), 'How long it takes, when that can be said'),
  },
  'One stage with every SQL statement that it runs',
);

/** The plan, as far as clients may rely on it; stages hold their statements besides. */
export const PlanSchema = open(
  {
    format: whole('Version of the plan\u2019s form'),
    hash: text('SHA-256 over everything else: what people approve'),
    specHash: text('SHA-256 of the spec: what is equal about two specs'),
    name: text('The spec\u2019s name'),
    strategy: Type.Enum([...strategies], { description: 'The strategy' }),
    environment: text('The service\u2019s environment'),
    target: text('The target'),
    dialect: Type.Enum([...dialects, 'several'], { description: 'What the target is; several: see parts' }),
    taskQueue: text('Where its workers listen'),
    spec: SpecSchema,
    facts: Type.Optional(Type.Object({}, { description: 'What was seen of the target' })),
    object: Type.Optional(Type.Object({}, { description: 'What it touches and locks' })),
    parts: Type.Optional(
      Type.Array(Type.Object({}, { description: 'A part with its target, facts and object' }), {
        description: 'What each thing is, where a plan is about several',
      }),
    ),
    stages: listOf(StageSchema, 'In order'),
    changes: listOf(
      open(
        {
          change: text('The change'),
          class: Type.Enum(['safe', 'unsafe'], { description: 'Whether it would hurt if done naively' }),
          because: text('Why'),
        },
        'How a change is classed',
      ),
      'Each change of the spec',
    ),
    risk: open(
      {
        level: Type.Enum(['low', 'medium', 'high'], { description: 'How high' }),
        because: listOf(Type.String({ description: 'A reason' }), 'Why'),
        pointOfNoReturn: nullable(text('A stage'), 'The first stage without an undo'),
      },
      'The risk',
    ),
    findings: listOf(FindingSchema, 'What was looked at'),
    estimate: open(
      {
        workMs: nullable(Type.Number({ description: 'Milliseconds' }), 'How long the work takes'),
        graceMs: Type.Number({ description: 'Milliseconds of grace' }),
        rows: nullable(Type.Number({ description: 'Rows' }), 'How many rows the table has, by its statistics'),
      },
      'How long it may take',
    ),
    onFailure: text('What happens when a stage is broken'),
  },
  'The ordered stages that will be done',
);

/** The answer to a preview. */
export const PlanAnswer = Type.Unsafe<{ readonly plan: Plan }>(
  open({ plan: PlanSchema }, 'A plan; nothing was started'),
);
