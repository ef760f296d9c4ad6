import { createHmac } from 'node:crypto';
import { approvalText } from '../contracts/approval-text.ts';
import type { OrderName } from '../contracts/catalog.ts';
import type { ApprovalOrder } from '../contracts/messages.ts';

/** The approval with our signature: whoever checks it knows that we knew who gave it. Without a key it stays unsigned. */
export function signApproval(
  key: string | null,
  deployment: string,
  order: OrderName,
  approval: ApprovalOrder,
): ApprovalOrder {
  if (key === null) return approval;
  return {
    ...approval,
    signature: createHmac('sha256', key)
      .update(approvalText(deployment, order, approval))
      .digest('hex'),
  };
}
