import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Activities } from '../../contracts/activities.ts';
import { approvalText } from '../../contracts/approval-text.ts';

/** How approvals are proved; from the configuration. */
export interface ApprovalSettings {
  /** The key that the API signs with; null: there are no signatures. */
  readonly key: string | null;
  /** An approval counts without a signature too, because who may talk to Temporal is trusted to be who it says. */
  readonly trustTemporal: boolean;
}

/** What the activities of approvals need. */
export interface ApprovalDependencies {
  readonly approvals: ApprovalSettings;
}

/**
 * Checks that an approval was given by somebody whom the API knows. A wrong signature never counts, however much
 * Temporal is trusted.
 */
export const createApprovalActivities = ({
  approvals: { key, trustTemporal },
}: ApprovalDependencies): Pick<Activities, 'checkApproval'> => ({
  checkApproval({ deployment, order, approval }) {
    if (approval.actor.role !== 'approver') {
      return answer(false, `${approval.actor.name} has the role ${approval.actor.role}, not approver`);
    }
    if (approval.signature === null) {
      return trustTemporal
        ? answer(true, 'it is not signed, and the configuration trusts Temporal')
        : answer(false, 'it is not signed by the API');
    }
    if (key === null) return answer(false, 'it is signed, but the worker has no key to check it');
    const expected = createHmac('sha256', key)
      .update(approvalText(deployment, order, approval))
      .digest();
    return isSame(expected, approval.signature)
      ? answer(true, 'the API has signed it')
      : answer(false, 'its signature is wrong');
  },
});

const answer = (counts: boolean, because: string): Promise<{ counts: boolean; because: string }> =>
  Promise.resolve({ counts, because });

function isSame(expected: Buffer, signature: string): boolean {
  const given = Buffer.from(signature, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
