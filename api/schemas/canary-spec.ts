import { Type } from 'typebox';
import {
  approve,
  Checks,
  every,
  images,
  namespaced,
  objectName,
  onFailure,
  orFalse,
  podTimes,
  Seen,
  target,
  time,
} from './release-parts.ts';
import { flagRoute, routesOfPods } from './route-spec.ts';
import { Dependencies } from './dependencies-spec.ts';
import { Notify, specName, strategy } from './spec-parts.ts';
import { closed, whole } from './words.ts';

const Step = closed(
  {
    weight: whole('Percent on the candidate; above that of the step before, and 100 in the last', {
      minimum: 1,
      maximum: 100,
    }),
    for: time('The least time', '10m'),
    approve: approve('Who must allow it'),
    checks: Type.Optional(orFalse([Checks], 'What this step is judged by; false: nothing')),
    onFail: Type.Optional(
      Type.Union(
        [
          whole('0: all is taken back; else this weight, and a person', { minimum: 0, maximum: 99 }),
          Type.Enum(['rollback', 'hold'], { description: 'All is taken back; or it stays, and a person' }),
        ],
        { description: 'What a failed check leads to', default: 'rollback' },
      ),
    ),
  },
  'One share, for a time',
);

/** What is the same of everything that gets a growing share. */
export const steered = {
  seen: Seen,
  steps: Type.Optional(
    Type.Array(Step, { minItems: 1, maxItems: 50, description: 'Default: 5, 25, 50 and 100 %, each for 10m' }),
  ),
  checks: Type.Optional(Checks),
  every,
  keepOld: time('How long the stable side is kept ready after the last step', '0s'),
  approve: approve('Who must allow the first step'),
};
const common = {
  name: specName('checkout-4-2'),
  strategy: strategy('canary', 'A growing share of the traffic for a candidate beside the stable side'),
  onFailure,
  notify: Notify,
};
const ofPods = {
  ...steered,
  dependencies: Dependencies,
  target,
  workload: namespaced('namespace/name of the Deployment in service', 'shop/checkout'),
  images,
  service: objectName('The Service of that Deployment', 'checkout'),
  route: Type.Union([...routesOfPods], { description: 'What divides the traffic' }),
  ...podTimes,
};
const ofFlag = {
  ...steered,
  dependencies: Dependencies,
  target,
  workload: namespaced('namespace/name of the ConfigMap that holds the flag', 'shop/flags'),
  route: flagRoute,
};

/** The same without name and strategy, as a part of a release. */
export const ServicePart = Type.Union([closed(ofPods, 'A candidate beside a Deployment'), closed(ofFlag, 'A flag')], {
  description: 'A service, as a canary has it',
});

/** A candidate beside the stable side, for a growing share of the traffic. */
export const CanarySpecSchema = closed(
  { ...common, ...ofPods },
  'A candidate beside a Deployment, for a growing share of the traffic',
);

/** A flag, for a growing share of its users. */
export const FlagCanarySpecSchema = closed({ ...common, ...ofFlag }, 'A flag, for a growing share of its users');
