import { ServiceError } from '@temporalio/client';
import { refusalOf } from '../../api/temporal-failures.ts';

const grpc = (code: number): ServiceError =>
  new ServiceError('the call failed', {
    cause: Object.assign(new Error(`${code}`), { code, details: '', metadata: {} }),
  });

test.each([
  ['a deadline', 4, 'WORKER_ABSENT'],
  ['a deadline between two polls, which comes as a cancelled call', 1, 'WORKER_ABSENT'],
  ['a server that is away', 14, 'ENGINE_UNREACHABLE'],
  ['a namespace that may not be used', 7, 'ENGINE_UNREACHABLE'],
])('%s (gRPC %d) is %s', (_, code, expected) => {
  expect(refusalOf(grpc(code)).code).toBe(expected);
});
