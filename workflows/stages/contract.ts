import type { CheckFacts } from '../../contracts/activities.ts';
import type { ContractStage } from '../../contracts/plan.ts';
import { isApproved } from '../../decisions/approvals.ts';
import { evidenceOf } from '../../decisions/evidence.ts';
import { judgeEvidence } from '../../decisions/judge-evidence.ts';
import { alter, alterLong, holdColumnsOnly, look } from '../activities.ts';
import type { Run } from '../run.ts';
import { asData } from './preflight.ts';
import { checkSlice, readRows } from './row-check.ts';
import { again, altered, park, type StageRunner, type Turn } from './stage.ts';
import { countOf, setWayBack } from './way-back.ts';

/** Removes the old shape, for good: only on evidence, and on an approval that is bound to it. */
export const contract: StageRunner<'contract'> = {
  /** Gathers the evidence anew each time, also after the approval: what has changed is asked for again. */
  async prepare(stage, run) {
    const rows = await compareAll(stage, run);
    if (rows === 'more') return again;
    const looks = await look('contract: who still uses the old shape?', {
      target: run.target,
      statements: stage.evidence,
      mode: 'read-only',
    });
    if ('wayBack' in looks) setWayBack(run, 'grace', countOf(looks['wayBack']));
    return weigh(stage, run, judgeEvidence(run.tablePlan, looks, rows)) ?? wholeTable(stage, run);
  },
  async perform(stage, run) {
    setWayBack(run, stage.kind, null);
    const input = { site: run.effect(), stage: stage.name, alteration: stage.perform };
    const facts = await alter('contract: remove the old shape', input);
    const { name, performLong = [] } = stage;
    if (performLong.length > 0) {
      await alterLong(`${name}: long statements`, { site: run.effect(), statements: performLong });
    }
    return altered(facts);
  },
  undo: null,
};

async function compareAll(stage: ContractStage, run: Run): Promise<CheckFacts | 'more' | null> {
  if (stage.check === null) return null;
  const facts = await checkSlice(run, stage.name, stage.check);
  if (facts === null) return 'more';
  readRows(run, facts);
  return facts;
}

function weigh(stage: ContractStage, run: Run, findings: ReturnType<typeof judgeEvidence>): Turn | null {
  const evidence = evidenceOf(run.plan, stage.name, findings, Date.now());
  const isNew = run.progress.evidence?.hash !== evidence.hash;
  run.update({ ...run.progress, evidence });
  if (isNew) {
    const data = { hash: evidence.hash, findings: findings.map(asData) };
    run.note('evidence', `evidence ${evidence.hash.slice(0, 12)}, ${findings.length} findings`, data);
  }
  const refused = findings.filter(({ level }) => level === 'refused');
  return refused.length === 0 ? null : park('GATE_HELD', refused.map(({ detail }) => detail).join('; '));
}

/** During grace others could lock the rest of the table. Asked for once approved: a wait of days must not block them. */
async function wholeTable(stage: ContractStage, run: Run): Promise<Turn | null> {
  if (!isApproved(run.plan, run.progress, stage)) return null;
  const input = { site: run.effect(), columnsOnly: false };
  const held = await holdColumnsOnly('contract: hold the whole table', input);
  return held.held ? null : park('TARGET_TAKEN', `${held.holder} holds the table`);
}
