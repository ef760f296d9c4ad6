import { failure } from '../../activities/failures.ts';
import { describe as shown } from '../../worker/logging.ts';

class DriverError extends Error {
  readonly code = '23505';
  readonly detail = 'Key (card)=(4111 1111 1111 1111) already exists.';
}

test('the log shows our own failures with their detail', () => {
  expect(shown(failure('LOCK_NOT_ACQUIRED', 'public.payments is held'))).toMatchObject({
    type: 'LOCK_NOT_ACQUIRED',
    detail: 'public.payments is held',
  });
});

test('the log shows of any other error its name, code and place, and never its text', () => {
  const secret = 'password=hunter2';
  const error = new Error(secret, { cause: new DriverError('value 4111 is out of range') });
  const text = JSON.stringify(shown(error));
  expect(text).toContain('23505');
  expect(text).toContain('logging.test');
  expect(text).not.toMatch(/hunter2|4111|card/);
});
