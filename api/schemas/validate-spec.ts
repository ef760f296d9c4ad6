import { Type } from 'typebox';
import { execKinds } from '../../contracts/catalog.ts';
import { durationPattern } from '../../decisions/duration.ts';
import { releaseForms } from '../../decisions/release-fields.ts';
import { filled, namespaced, objectName, time } from './release-parts.ts';
import { trinoUser } from './running-spec.ts';
import { closed, text, whole } from './words.ts';

const timeout = Type.Optional(
  text('How long an answer may take', { pattern: durationPattern, default: '2s', examples: ['2s'] }),
);
const hostPort = (example: string) => text('host:port', { pattern: releaseForms.hostPort.source, examples: [example] });

/** One question to a side, or to what it needs. */
export const Probe = Type.Union(
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
        exec: namespaced('namespace/name of what the command runs in', 'data-platform/trino-green'),
        kind: Type.Optional(
          Type.Enum([...execKinds], {
            description: 'What that is; of a workload the youngest ready pod is taken',
            default: 'Deployment',
          }),
        ),
        container: Type.Optional(objectName('Needed where a pod has several', 'trino')),
        command: Type.Array(text('A word', { pattern: '^[^\\u0000]*$', maxLength: 1_000, examples: ['SELECT 1'] }), {
          minItems: 1,
          maxItems: 50,
          description: 'It has to end with 0; nothing that it says is kept, and no secret belongs into it',
          examples: [['trino', '--execute', 'SELECT 1']],
        }),
        timeout,
      },
      'Runs a command through the API server',
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
    backoff: Type.Optional(
      text('After a bad answer each wait is twice as long, up to this; without it they are all the same', {
        pattern: durationPattern,
        examples: ['30s'],
      }),
    ),
    needs: Type.Optional(whole('How many good answers in a row', { minimum: 1, maximum: 100, default: 3 })),
  },
  'What has to be answered before it goes on',
);
