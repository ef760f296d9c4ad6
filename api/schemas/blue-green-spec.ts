import { Type } from 'typebox';
import { releaseForms } from '../../decisions/release-fields.ts';
import {
  approve,
  Checks,
  every,
  images,
  namespaced,
  objectName,
  onFailure,
  podTimes,
  Seen,
  target,
  time,
} from './release-parts.ts';
import { Dependencies } from './dependencies-spec.ts';
import { Running } from './running-spec.ts';
import { Notify, specName, strategy } from './spec-parts.ts';
import { Validate } from './validate-spec.ts';
import { closed, text } from './words.ts';

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
    validate: Type.Optional(Validate),
    running: Type.Optional(Running),
    watch: Type.Optional(
      closed(
        { for: time('How long', '5m'), checks: Type.Optional(Checks) },
        'How it is watched after the switch; a failed check takes all back',
      ),
    ),
    dependencies: Dependencies,
    every,
    keepOld: time('How long the old side is kept ready', '24h'),
    ...podTimes,
    approve: approve('Who must allow the switch'),
    onFailure,
    notify: Notify,
  },
  'Two Deployments, and a Service that chooses one of them',
);
