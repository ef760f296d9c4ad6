import { Type } from 'typebox';
import { durationPattern } from '../../decisions/duration.ts';
import { releaseForms } from '../../decisions/release-fields.ts';
import {
  approve,
  Checks,
  every,
  filled,
  images,
  namespaced,
  objectName,
  onFailure,
  podTimes,
  Seen,
  target,
  time,
} from './release-parts.ts';
import { specName, strategy } from './spec-parts.ts';
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
  ],
  { description: 'One question' },
);

/** The idle one of two sides is brought up, tried, and takes all traffic at once. */
export const BlueGreenSpecSchema = closed(
  {
    name: specName('trino-440'),
    strategy: strategy('blue-green', 'The idle one of two Deployments takes over all traffic at once'),
    target,
    service: namespaced('namespace/name of the Service whose selector decides', 'data-platform/trino'),
    slots: closed(
      {
        label: text('The label in that selector; the pods of each side have a value of it', {
          pattern: releaseForms.label.source,
          examples: ['slot'],
        }),
        blue: objectName('A Deployment', 'trino-blue'),
        green: objectName('The other one', 'trino-green'),
      },
      'The two sides',
    ),
    images,
    seen: Type.Optional(Seen),
    validate: Type.Optional(
      closed(
        {
          probes: Type.Array(Probe, { minItems: 1, maxItems: 10, description: 'All of them have to be answered' }),
          tries: Type.Optional(whole('How often it is tried at the most', { minimum: 1, maximum: 1_000, default: 30 })),
          every: time('How long to wait in between', '2s'),
          needs: Type.Optional(whole('How many good answers in a row', { minimum: 1, maximum: 100, default: 3 })),
        },
        'What the new side has to answer before it gets traffic',
      ),
    ),
    watch: Type.Optional(
      closed(
        { for: time('How long', '5m'), checks: Type.Optional(Checks) },
        'How it is watched after the switch; a failed check takes all back',
      ),
    ),
    every,
    keepOld: time('How long the old side is kept ready', '24h'),
    ...podTimes,
    approve: approve('Who must allow the switch'),
    onFailure,
  },
  'Two Deployments, and a Service that chooses one of them',
);
