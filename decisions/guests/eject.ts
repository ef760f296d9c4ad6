import type { EjectView } from '../../contracts/api.ts';
import type { TablePlan } from '../../contracts/plan.ts';
import { backSteps } from './eject-back.ts';
import { announce, fence, type Ejected } from './eject-blocks.ts';
import { finishSteps } from './eject-finish.ts';

/** Whose half-done change it is, and where it is believed to be. */
export interface EjectInput {
  readonly plan: TablePlan;
  readonly deployment: string;
  /** The stage at which the deployment stands; null: nobody knows. The script looks in the target itself. */
  readonly stage: string | null;
  readonly way: EjectView['way'];
}

/**
 * Plain SQL that takes a half-done change back, or finishes it, when the service is gone. It is made of the plan's own
 * statements and asks the target what has happened: whatever the ledger believed, it does what is left, and nothing twice.
 */
export function ejectSql(input: EjectInput): string {
  const ejected: Ejected = { plan: input.plan, deployment: input.deployment };
  const steps = input.way === 'back' ? backSteps(ejected) : finishSteps(ejected);
  return [...head(input), announce(ejected), fence(ejected), ...steps, ''].join('\n\n');
}

function head({ plan, deployment, stage, way }: EjectInput): readonly string[] {
  const { schema, table } = plan.object;
  const at = stage === null ? 'at a stage that nobody has told' : `at ${stage}`;
  return [
    [
      `-- ${way === 'back' ? 'takes back' : 'finishes'} ${deployment}, ${at}: ${plan.strategy} of ${schema}.${table} on ${plan.target}`,
      `-- plan ${plan.hash}`,
      '--',
      '-- Run it in the target, as our role there or as who administers it; with psql:',
      '--   psql -X -v ON_ERROR_STOP=1 -f this-file.sql "$TARGET_URL"',
      '-- It looks at what has happened there and does what is left; it may be run again at any time, from its beginning.',
      '-- If the service still runs: the deployment notices with its next effect, and parks as CLAIM_GONE.',
      ...warnings(plan, way),
    ].join('\n'),
  ];
}

function warnings({ stages, risk }: TablePlan, way: EjectView['way']): readonly string[] {
  const drop = stages.find((stage) => stage.kind === 'contract' && stage.name === risk.pointOfNoReturn)?.title ?? '';
  if (!drop.startsWith('DROP')) return [];
  return way === 'back'
    ? [
        '--',
        '-- WARNING: what only the new shape holds is lost. The script counts such rows and stops when there are any.',
        '-- An application that relies on the new shape must have gone back before.',
      ]
    : [
        '--',
        `-- WARNING: it ends with ${drop}; grace and approvals are left out. There is no way back from there, and`,
        '-- nothing may use the old shape any more: take a backup, or delete the steps from there on.',
      ];
}
