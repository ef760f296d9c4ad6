import { Type, type TProperties } from 'typebox';
import { releaseForms } from '../../decisions/release-fields.ts';
import { objectName, time } from './release-parts.ts';
import { closed, text } from './words.ts';

const address = (description: string, example: string) =>
  text(`${description}; without user and password`, { pattern: releaseForms.address.source, examples: [example] });

/** Who asks Trino. */
export const trinoUser = Type.Optional(
  text('Who asks Trino (X-Trino-User); it has to be allowed to see the queries of others', {
    pattern: releaseForms.trinoUser.source,
    default: 'lakeshift',
    examples: ['lakeshift'],
  }),
);

const way = <P extends TProperties>(fields: P, description: string) =>
  closed(
    {
      engine: Type.Literal('trino', { description: 'What runs them' }),
      coordinators: closed(
        {
          blue: address('Of blue', 'http://trino-blue.data-platform.svc:8080'),
          green: address('Of green', 'http://trino-green.data-platform.svc:8080'),
        },
        'Addresses of both coordinators, as the worker reaches them',
      ),
      user: trinoUser,
      timeout: time('How long running queries are waited for', '2h'),
      ...fields,
    },
    description,
  );

/** What becomes of queries that run when everything is switched. */
export const Running = Type.Union(
  [
    way(
      {
        finishOn: Type.Literal('old', { description: 'Where they began' }),
        route: text('Name of the HTTPRoute that sends requests to the Service', {
          pattern: releaseForms.object.source,
          examples: ['trino'],
        }),
        address: address('Where clients send their requests', 'https://trino.example'),
        services: Type.Optional(
          closed(
            { blue: objectName('Of blue', 'trino-blue'), green: objectName('Of green', 'trino-green') },
            'Services that select one side each; default: called like the Deployments',
          ),
        ),
      },
      'They finish on the coordinator that knows them, and clients notice nothing',
    ),
    way(
      { wait: Type.Literal('idle', { description: 'Until none runs' }) },
      'The switch waits until no query runs on the old side',
    ),
    way(
      { accept: Type.Literal('failed-queries', { description: 'What somebody has to allow' }) },
      'They fail, and a person allows it',
    ),
  ],
  { description: 'What becomes of queries that run at the switch; needed where the sides run Trino' },
);
