import type { Alteration, TablePlan, Statement } from '../../contracts/plan.ts';
import { quote } from '../sql/postgres/identifier.ts';
import {
  altered,
  bound,
  isDone,
  longOf,
  longSteps,
  notRemembered,
  release,
  remember,
  step,
  tries,
  type Ejected,
} from './eject-blocks.ts';

/** The setting by which a person says that the values may be lost. */
const mayLose = 'lakeshift.eject_may_lose';

/** Takes everything back, latest first, as the service would have done; the target itself says what has happened. */
export function backSteps(ejected: Ejected): readonly string[] {
  const undos = undosOf(ejected.plan);
  const long = undoLongOf(ejected.plan);
  return [
    step(
      ejected,
      'everything is taken back in one transaction, latest first: either all of it or nothing',
      [tries, 'eject_lost bigint;'],
      [...refusals(ejected), ...undos.flatMap((undo) => altered(undo, ejected)), remember('undone', ejected)],
    ),
    ...longSteps(ejected, long, 'undone', [
      `IF ${notRemembered('undone', ejected)} THEN RAISE EXCEPTION 'the step before this one has failed'; END IF;`,
    ]),
    release(ejected, [
      notRemembered('undone', ejected),
      ...undos.map((undo) => `NOT ${isDone(undo, ejected)}`),
      ...longOf(long).map((_, index) => notRemembered(`undone_${index}`, ejected)),
    ]),
  ];
}

/** Past the drop there is no way back, and what would be lost is lost only by a person's word. */
function refusals(ejected: Ejected): string[] {
  const { stages } = ejected.plan;
  return stages.flatMap((stage): string[] => {
    if (stage.kind === 'contract') {
      return [
        `IF ${isDone(stage.perform, ejected)} THEN RAISE EXCEPTION 'the old shape has been removed: there is no way back, only the script of --finish'; END IF;`,
      ];
    }
    if (stage.kind !== 'cutover') return [];
    return [
      ...lookAs(stage.wayBack, `SELECT misfits INTO eject_lost FROM (${bound(stage.wayBack, ejected)}) AS way_back;`),
      `IF eject_lost > 0 AND current_setting('${mayLose}', true) IS DISTINCT FROM 'yes' THEN`,
      `  RAISE EXCEPTION 'going back would lose the new values of % rows, which the old shape can not hold; if that may be, run SET ${mayLose} = ''yes''; before this script', eject_lost;`,
      'END IF;',
    ];
  });
}

/** A look at the table's rows, in the role that may read them. */
const lookAs = ({ as }: Statement, look: string): string[] =>
  as === undefined ? [look] : [`SET LOCAL ROLE ${quote(as)};`, look, 'SET LOCAL ROLE NONE;'];

const undosOf = ({ stages }: TablePlan): readonly Alteration[] =>
  stages
    .flatMap((stage) => ('undo' in stage ? [stage.undo] : []))
    .reverse()
    .flat();
const undoLongOf = ({ stages }: TablePlan): readonly Statement[] =>
  stages.flatMap((stage) => (stage.kind === 'expand' ? stage.undoLong : []));
