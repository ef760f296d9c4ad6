import { Type } from 'typebox';
import { moment, nullable, open, text, whole } from './words.ts';

const share = (description: string) => nullable(Type.Number({ description: '0 to 1' }), description);

/** The candidate's share of the traffic. */
export const TrafficSchema = open(
  {
    weight: nullable(
      whole('Percent'),
      'On the candidate, as last read back; null: somebody else has written something else',
    ),
    seen: share('The candidate\u2019s share as last seen in requests; null: not measured'),
    requests: nullable(whole('Requests'), 'Of how many requests; null: not measured'),
    since: nullable(moment('A moment'), 'Since when it is where it should be; null: it is not yet'),
    repairs: whole('How often somebody else\u2019s change of the route was put right'),
    lookedAt: moment('When it was last looked at'),
  },
  'Where the traffic goes, in a release',
);

/** What is known of one dependency. */
export const BreakerSchema = open(
  {
    name: text('The dependency'),
    state: Type.Enum(['closed', 'open', 'half-open'], {
      description: 'closed: the candidate may rely on it; open: it may not; half-open: it is being tried',
    }),
    since: moment('Since when'),
    because: nullable(text('One line'), 'What was wrong the last time that something was; null: nothing ever was'),
    lookedAt: moment('When it was last looked at; 0: never'),
    nextAt: moment('When it is to be looked at next'),
    until: nullable(moment('A moment'), 'When a person is called; null: the clock does not run'),
  },
  'The circuit breaker of one dependency of the candidate',
);
