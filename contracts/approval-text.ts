import type { OrderName } from './catalog.ts';
import type { ApprovalOrder } from './messages.ts';

/**
 * The text that an approval's signature is over. It stands here, beside the words that it puts in order, because the
 * API signs it and an activity checks it, and the two share nothing else. A JSON array keeps fields apart: no value
 * can be read as two, nor two as one.
 */
export const approvalText = (deployment: string, order: OrderName, approval: ApprovalOrder): string =>
  JSON.stringify([
    'lakeshift-approval-1',
    deployment,
    order,
    approval.stage,
    approval.planHash,
    approval.evidenceHash,
    approval.actor.name,
    approval.actor.role,
    [...approval.actor.groups].sort(),
    approval.reason,
    approval.id,
  ]);
