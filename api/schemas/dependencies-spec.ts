import { Type } from 'typebox';
import { fail, objectName, time } from './release-parts.ts';
import { Probe } from './validate-spec.ts';
import { closed, whole } from './words.ts';

/** What the candidate needs besides itself. */
export const Dependencies = Type.Optional(
  Type.Array(
    closed(
      {
        name: objectName('What it is called in the status', 'scores-db'),
        probe: Probe,
        every: time('How often it is looked at; 1s or longer', '10s'),
        fail: fail('answers that are bad'),
        closeAfter: Type.Optional(
          whole('How many good answers in a row it takes to be back', { minimum: 1, maximum: 100, default: 2 }),
        ),
        backoff: time('The longest wait between two looks while it is away; 1s or longer', '1m'),
        openFor: time('After so long a person is called; 1s or longer', '30m'),
      },
      'One dependency, with a circuit breaker',
    ),
    {
      minItems: 1,
      maxItems: 10,
      description: 'What the candidate needs: without it everything goes to the stable side until it is back',
    },
  ),
);
