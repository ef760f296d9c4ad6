import { Type } from 'typebox';
import type { Problem } from '../../contracts/api.ts';
import { failures } from '../../contracts/failures.ts';
import { closed, listOf, open, text, whole } from './words.ts';

const FieldProblemSchema = closed(
  {
    pointer: text('JSON pointer into the body; /query/…, /params/… and /headers/… name other parts of the request'),
    detail: text('What is wrong there'),
    didYouMean: Type.Optional(text('The nearest name that exists')),
  },
  'One mistake',
);

/** One thing that was found in the target. */
export const FindingSchema = open(
  {
    code: text('What kind of finding it is'),
    level: Type.Enum(['refused', 'warned', 'noted', 'unknown'], { description: 'How much it weighs' }),
    detail: text('One line for people'),
    pointer: Type.Optional(text('JSON pointer into the spec')),
    count: Type.Optional(whole('How many rows')),
    keys: Type.Optional(listOf(Type.String({ description: 'A key' }), 'Keys of such rows, never their values')),
  },
  'One thing that was looked at',
);

/** Every error's answer. */
export const ProblemSchema = Type.Unsafe<Problem>(
  closed(
    {
      type: text('Address of the description of this code'),
      title: text('What the code means'),
      status: whole('HTTP status'),
      code: Type.Enum(Object.keys(failures), { description: 'Compare this, not the texts' }),
      detail: text('What went wrong this time'),
      instance: text('Id of the request'),
      errors: Type.Optional(listOf(FieldProblemSchema, 'All mistakes of the request at once')),
      possible: Type.Optional(listOf(Type.String({ description: 'An order' }), 'Orders that would be taken')),
      holder: Type.Optional(text('The deployment in the way')),
      findings: Type.Optional(listOf(FindingSchema, 'What was found in the target')),
    },
    'An error, as RFC 9457 has it',
  ),
);
