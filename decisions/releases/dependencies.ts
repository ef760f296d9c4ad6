import type { Dependency } from '../../contracts/gate.ts';
import type { ShiftStage } from '../../contracts/plan.ts';
import type { CanarySpec, DependencySpec } from '../../contracts/release-spec.ts';
import { parseFail } from './gates.ts';
import { probeOf } from './probes.ts';
import { ms } from './words.ts';

const usual = { every: '10s', fail: '3 of 5', closeAfter: 2, backoff: '1m', openFor: '30m' } as const;

/** What a share rests on; no field where a spec names nothing. */
export const dependenciesOf = ({
  dependencies,
  target,
}: Pick<CanarySpec, 'dependencies' | 'target'>): Pick<ShiftStage, 'dependencies'> =>
  dependencies === undefined ? {} : { dependencies: dependencies.map((spec) => dependencyOf(spec, target)) };

const dependencyOf = (spec: DependencySpec, target: string): Dependency => ({
  name: spec.name,
  probe: probeOf(spec.probe, target),
  everyMs: ms(spec.every ?? usual.every),
  backoffMs: ms(spec.backoff ?? usual.backoff),
  ...(parseFail(spec.fail ?? usual.fail) ?? { fails: 3, of: 5 }),
  closeAfter: spec.closeAfter ?? usual.closeAfter,
  openForMs: ms(spec.openFor ?? usual.openFor),
});
