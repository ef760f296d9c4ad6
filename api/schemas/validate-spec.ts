import { Type } from 'typebox';
import { durationPattern } from '../../decisions/duration.ts';
import { releaseForms } from '../../decisions/release-fields.ts';
import { filled, time } from './release-parts.ts';
import { trinoUser } from './running-spec.ts';
import { closed, text, whole } from './words.ts';

const timeout = Type.Optional(
  text('How long an answer may take', { pattern: durationPattern, default: '2s', examples: ['2s'] }),
);
const hostPort = (example: string) => text('host:port', { pattern: releaseForms.hostPort.source, examples: [example] });

const Probe = Type.Union(
  [
    closed(
      {
        http: text('An address; without user and password', {
          pattern: releaseForms.address.source,
          examples: ['http://trino-green.data-platform.svc:8080/v1/info'],
        }),
        status: Type.Optional(whole('The status it has to answer', { minimum: 100, maximum: 599, default: 200 })),
        timeout,
      },
      'Asks by HTTP',
    ),
    closed({ tcp: hostPort('trino-green.data-platform.svc:8080'), timeout }, 'Opens a connection'),
    closed(
      {
        grpc: hostPort('models-green.ml.svc:8500'),
        service: Type.Optional(
          filled('The service it is asked about; default the server itself', 'forecast.v1.Forecast'),
        ),
        timeout,
      },
      'Asks the health service of gRPC',
    ),
    closed(
      {
        trino: text('Address of a coordinator of Trino; without user and password', {
          pattern: releaseForms.address.source,
          examples: ['http://trino-green.data-platform.svc:8080'],
        }),
        sql: Type.Union(
          [
            filled('A statement', 'SELECT count(*) FROM hive.sales.orders'),
            Type.Array(filled('A statement', 'SELECT 1'), { minItems: 1, maxItems: 10, description: 'Several' }),
          ],
          { description: 'What has to end without an error, one after the other', examples: ['SELECT 1'] },
        ),
        user: trinoUser,
        timeout: Type.Optional(
          text('How long all of them may take together; 50s at the most', {
            pattern: durationPattern,
            default: '10s',
            examples: ['10s'],
          }),
        ),
      },
      'Runs statements',
    ),
  ],
  { description: 'One question' },
);

/** What a side, or a batch, has to answer. */
export const Validate = closed(
  {
    probes: Type.Array(Probe, { minItems: 1, maxItems: 10, description: 'All of them have to be answered' }),
    tries: Type.Optional(whole('How often it is tried at the most', { minimum: 1, maximum: 1_000, default: 30 })),
    every: time('How long to wait in between', '2s'),
    needs: Type.Optional(whole('How many good answers in a row', { minimum: 1, maximum: 100, default: 3 })),
  },
  'What has to be answered before it goes on',
);
