import { createHmac } from 'node:crypto';
import { createApprovalActivities } from '../../activities/approvals/index.ts';
import { failure } from '../../activities/failures.ts';
import { createLedgerActivities } from '../../activities/ledger/index.ts';
import { approvalText } from '../../contracts/approval-text.ts';
import { failures, type FailureCode } from '../../contracts/failures.ts';
import type { ApprovalOrder } from '../../contracts/messages.ts';
import { connectLedger, createLedgerReader, createLedgerWriter } from '../../ledger/index.ts';
import { deploymentOf } from '../api/support/deployment.ts';
import { signApproval } from '../../api/sign-approval.ts';

describe('a failure of an activity', () => {
  test.each(Object.keys(failures) as FailureCode[])('%s is retried if and only if it is busy', (code) => {
    const made = failure(code, 'why');
    expect(made).toMatchObject({ type: code, message: 'why', nonRetryable: failures[code].family !== 'busy' });
  });

  test('may carry facts and a wish', () => {
    const made = failure('LOCK_NOT_ACQUIRED', 'why', { data: { tries: 3 }, retryInMs: 500 });
    expect(made).toMatchObject({ details: [{ tries: 3 }], nextRetryDelay: 500 });
  });
});

test('a ledger that is away is busy, and its address stays out of the failure', async () => {
  const ledger = connectLedger('postgres://ann:s3cret@127.0.0.1:1/none');
  const writer = createLedgerWriter(ledger);
  const activities = createLedgerActivities({ ledger: { writer, reader: createLedgerReader(ledger) } });
  const { id, status } = deploymentOf(writer, 'away-00000001');
  const attempts = [
    () => activities.record({ id, status, events: [] }),
    () => activities.findDeployment({ idOrName: id }),
  ];
  for (const attempt of attempts) {
    const error: unknown = await attempt().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ type: 'LEDGER_UNREACHABLE', nonRetryable: false });
    expect(String(error)).toContain('ECONNREFUSED');
    expect(JSON.stringify(error) + String(error)).not.toMatch(/s3cret|127\.0\.0\.1/);
  }
  await ledger.destroy();
});

describe('an approval', () => {
  const key = 'a-key-that-is-thirty-two-characters';
  const unsigned: ApprovalOrder = {
    actor: { name: 'dora', role: 'approver', groups: ['dba', 'owner'], via: 'api' },
    reason: 'nobody reads it any more',
    stage: 'contract',
    id: 'order-1',
    planHash: 'p'.repeat(64),
    evidenceHash: 'e'.repeat(64),
    signature: null,
  };
  const signed = signApproval(key, 'payments-1', 'approve', unsigned);
  const check = (
    approval: ApprovalOrder,
    { settings = { key, trustTemporal: false }, deployment = 'payments-1', order = 'approve' as const } = {},
  ) => createApprovalActivities({ approvals: settings }).checkApproval({ deployment, order, approval });

  test('counts when the API has signed it', async () => {
    expect(await check(signed)).toEqual({ counts: true, because: 'the API has signed it' });
  });

  test.each([
    ['actor', { actor: { ...unsigned.actor, name: 'eve' } }],
    ['groups', { actor: { ...unsigned.actor, groups: ['dba', 'owner', 'root'] } }],
    ['groups that read the same', { actor: { ...unsigned.actor, groups: ['dba,owner'] } }],
    ['reason', { reason: 'other' }],
    ['stage', { stage: 'cutover' }],
    ['order id', { id: 'order-2' }],
    ['plan', { planHash: 'q'.repeat(64) }],
    ['evidence', { evidenceHash: 'f'.repeat(64) }],
    ['lack of evidence', { evidenceHash: null }],
    ['signature', { signature: '00'.repeat(32) }],
    ['signature that is cut', { signature: (signed.signature ?? '').slice(0, 10) }],
    ['signature that is none', { signature: 'zz' }],
    ['signature that is empty', { signature: '' }],
  ])('does not count with another %s', async (_, change) => {
    expect(await check({ ...signed, ...change })).toEqual({ counts: false, because: 'its signature is wrong' });
    const trusting = { key, trustTemporal: true };
    expect((await check({ ...signed, ...change }, { settings: trusting })).counts).toBe(false);
  });

  test('does not count for another deployment, another order or under another key', async () => {
    expect((await check(signed, { deployment: 'payments-2' })).counts).toBe(false);
    const { checkApproval } = createApprovalActivities({ approvals: { key, trustTemporal: false } });
    expect((await checkApproval({ deployment: 'payments-1', order: 'skip', approval: signed })).counts).toBe(false);
    expect((await check(signed, { settings: { key: 'k'.repeat(32), trustTemporal: false } })).counts).toBe(false);
  });

  test('by somebody who is no approver never counts, signed or trusted', async () => {
    const actor = { ...unsigned.actor, role: 'operator' as const };
    const approval = signApproval(key, 'payments-1', 'approve', { ...unsigned, actor });
    for (const trustTemporal of [true, false]) {
      expect((await check(approval, { settings: { key, trustTemporal } })).counts).toBe(false);
    }
  });

  test('without a signature counts only where Temporal is trusted', async () => {
    expect((await check(unsigned)).counts).toBe(false);
    expect((await check(unsigned, { settings: { key, trustTemporal: true } })).counts).toBe(true);
  });

  test('keeps the text that was signed by the first version', () => {
    const text = approvalText('payments-1', 'approve', unsigned);
    expect(createHmac('sha256', key).update(text).digest('hex')).toBe(signed.signature);
    expect(text).toBe(
      `["lakeshift-approval-1","payments-1","approve","contract","${'p'.repeat(64)}","${'e'.repeat(64)}",` +
        '"dora","approver",["dba","owner"],"nobody reads it any more","order-1"]',
    );
  });
});
