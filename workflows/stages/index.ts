import type { StageKind } from '../../contracts/catalog.ts';
import type { Stage } from '../../contracts/plan.ts';
import { alias } from './alias.ts';
import { backfill } from './backfill.ts';
import { build } from './build.ts';
import { candidate } from './candidate.ts';
import { contract } from './contract.ts';
import { cutover } from './cutover.ts';
import { drain } from './drain.ts';
import { expand } from './expand.ts';
import { grace } from './grace.ts';
import { keep } from './keep.ts';
import { preflight } from './preflight.ts';
import { retire } from './retire.ts';
import { roll } from './roll.ts';
import { scaling } from './scaling.ts';
import { shadow } from './shadow.ts';
import { shift } from './shift.ts';
import type { StageRunner } from './stage.ts';
import { validate } from './validate.ts';
import { verify } from './verify.ts';

/** What each stage kind does; the compiler names the one that is missing. */
const runners: { readonly [K in StageKind]: StageRunner<K> } = {
  preflight,
  expand,
  backfill,
  build,
  verify,
  cutover,
  grace,
  contract,
  roll,
  candidate,
  validate,
  shift,
  keep,
  drain,
  retire,
  scaling,
  shadow,
  alias,
};

/** The runner of a stage, for this stage. */
export const runnerOf = (stage: Stage): StageRunner<Stage['kind']> =>
  // TypeScript cannot see that the runner found under a stage's own kind takes that stage.
  runners[stage.kind] as unknown as StageRunner<Stage['kind']>;
