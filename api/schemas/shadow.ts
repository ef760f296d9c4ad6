import { Type } from 'typebox';
import { listOf, nullable, open, text, whole } from './words.ts';

const pointerCounts = (description: string) =>
  listOf(
    open(
      { at: text('A JSON pointer, or status, content-type, body, no answer, others'), count: whole('How often') },
      'One place',
    ),
    description,
  );
const sideLatency = (description: string) =>
  open(
    {
      p50Ms: nullable(Type.Number({ description: 'Milliseconds' }), 'The median, to a quarter; null: not measured'),
      p99Ms: nullable(Type.Number({ description: 'Milliseconds' }), 'The 99th percentile; null: not measured'),
    },
    description,
  );

/** What a shadow has compared. */
export const ShadowSchema = open(
  {
    compared: whole('Requests that the stable side has answered'),
    agreed: whole('Of these, those that the candidate has answered in the same way'),
    silent: whole('Requests that the stable side has not answered'),
    interval: nullable(
      open(
        {
          low: Type.Number({ description: '0 to 1' }),
          high: Type.Number({ description: '0 to 1' }),
          confidence: Type.Number({ description: '0 to 1' }),
        },
        'Where the share lies',
      ),
      'Null: not judged yet',
    ),
    differs: pointerCounts('In what answers differ'),
    noise: pointerCounts('In what the stable side has differed from itself'),
    latency: open(
      { stable: sideLatency('The stable side'), candidate: sideLatency('The candidate') },
      'How long answers took',
    ),
    requests: whole('How many different requests there are'),
  },
  'What the candidate of a shadow has answered, beside the stable side',
);
