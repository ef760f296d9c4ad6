import type { FailureCode } from '../contracts/failures.ts';
import type { ApprovalOrder } from '../contracts/messages.ts';
import type { Plan, Stage } from '../contracts/plan.ts';
import type { Approval, Progress } from '../contracts/progress.ts';

/** The approvals of a stage that are bound to this plan and to the evidence that is shown now. */
export const approvalsOf = (plan: Plan, progress: Progress, stage: string): readonly Approval[] =>
  progress.approvals.filter(
    (approval) =>
      approval.stage === stage &&
      approval.planHash === plan.hash &&
      approval.evidenceHash === shownEvidence(progress, stage),
  );

/** The hash of the evidence that is shown for a stage, or null when it gathers none. */
export const shownEvidence = ({ evidence }: Progress, stage: string): string | null =>
  evidence?.stage === stage ? evidence.hash : null;

/** Whether a stage may begin: it needs no approval, or enough different people have given theirs. */
export const isApproved = (plan: Plan, progress: Progress, stage: Stage): boolean =>
  approvalsMissing(plan, progress, stage) === 0;

/** How many more people have to approve. */
export function approvalsMissing(plan: Plan, progress: Progress, stage: Stage): number {
  if (stage.approve === null) return 0;
  const people = new Set(approvalsOf(plan, progress, stage.name).map(({ actor }) => actor.name));
  return Math.max(stage.approve.count - people.size, 0);
}

/** Ends the wait for an approval with the last one that was missing, so that no status says otherwise for a moment. */
export function endWaitIfApproved(plan: Plan, progress: Progress): Progress {
  const { waitingFor } = progress;
  const stage = plan.stages.find(({ name }) => name === waitingFor?.stage);
  if (waitingFor?.what !== 'approval' || stage === undefined || !isApproved(plan, progress, stage)) return progress;
  return { ...progress, waitingFor: null };
}

/** Why an approval (or a skip, which counts as one) is not taken; null: it is. The signature is checked elsewhere. */
export function refuseApproval(
  plan: Plan,
  progress: Progress,
  stage: Stage,
  order: ApprovalOrder & { readonly order: 'approve' | 'skip' },
  author: string,
): { readonly code: FailureCode; readonly detail: string } | null {
  const notCounted = whoMayNot(stage, order, author);
  if (notCounted !== null) return { code: 'APPROVAL_NOT_COUNTED', detail: notCounted };
  if (order.planHash !== plan.hash) {
    return {
      code: 'ORDER_INVALID',
      detail: `it approves plan ${brief(order.planHash)}; this is plan ${brief(plan.hash)}`,
    };
  }
  return order.order === 'approve' ? refuseByEvidence(plan, progress, stage, order) : null;
}

function refuseByEvidence(plan: Plan, progress: Progress, stage: Stage, order: ApprovalOrder) {
  const shown = shownEvidence(progress, stage.name);
  if (order.evidenceHash !== shown) {
    const detail = `it approves evidence ${brief(order.evidenceHash)}; what is shown is ${brief(shown)}`;
    return { code: 'ORDER_INVALID', detail } as const;
  }
  const again = approvalsOf(plan, progress, stage.name).some(({ actor }) => actor.name === order.actor.name);
  return again ? ({ code: 'ORDER_REPEATED', detail: `${order.actor.name} has approved already` } as const) : null;
}

function whoMayNot({ approve }: Stage, { actor }: ApprovalOrder, author: string): string | null {
  if (actor.role !== 'approver') return `${actor.name} is no approver`;
  if (approve === null) return null;
  if (approve.group !== null && !actor.groups.includes(approve.group)) {
    return `${actor.name} is not in the group ${approve.group}`;
  }
  return approve.notByAuthor && actor.name === author
    ? `${author} started the deployment and may not approve it`
    : null;
}

const brief = (hash: string | null): string => (hash === null || hash === '' ? 'none' : hash.slice(0, 12));
