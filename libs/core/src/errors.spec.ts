import { expect, it } from 'vitest';
import { LockstepError, messageOf, type ErrorCode } from './errors.ts';

it.each<[ErrorCode, number]>([
  ['usage', 2], ['config', 2], ['data', 2], ['prerequisite', 2], ['not-found', 2],
  ['engine', 1], ['numerics', 1], ['protocol', 1], ['connection', 1], ['worker-lost', 1], ['deadline', 1], ['non-finite', 1], ['aborted', 1], ['storage', 1],
])('%s ends a process with %i', (code, exitCode) => {
  expect(new LockstepError(code, 'what').exitCode).toBe(exitCode);
});

it('carries what it says, what to do and what caused it', () => {
  const cause = new Error('below');
  const error = new LockstepError('data', 'row 3', { hint: 'look at it', cause });
  expect(error).toMatchObject({ name: 'LockstepError', message: 'row 3', code: 'data', hint: 'look at it', cause });
  expect(error).toBeInstanceOf(Error);
  expect('cause' in new LockstepError('data', 'row 3')).toBe(false);
});

it('makes a message of whatever was thrown', () => {
  expect([new Error('a'), 'b', 3, null, undefined].map(messageOf)).toEqual(['a', 'b', '3', 'null', 'undefined']);
});
