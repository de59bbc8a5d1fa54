import { LockstepError, messageOf } from '@lockstep/core';
import { CommanderError } from 'commander';
import colors from 'picocolors';

/** Says on stderr what went wrong and what to do about it; a config's mistakes are a line each. */
export function printError(thrown: unknown): void {
  // commander has said it.
  if (thrown instanceof CommanderError) return;
  const mistakes = thrown instanceof LockstepError && thrown.code === 'config' ? thrown.message.split('\n') : [messageOf(thrown)];
  const lines = mistakes.map((mistake) => `${colors.red('error:')} ${mistake}`);
  if (thrown instanceof LockstepError && thrown.hint !== undefined) lines.push(`${colors.cyan('hint:')} ${thrown.hint}`);
  if (isUnexpected(thrown)) lines.push(stackOf(thrown));
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** 2 for a user's mistake, 1 for a failure, 0 where help or the version was asked for. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  return thrown instanceof LockstepError ? thrown.exitCode : 1;
}

const isUnexpected = (thrown: unknown): boolean => !(thrown instanceof LockstepError) || process.env['LOCKSTEP_DEBUG'] !== undefined;

const stackOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.stack ?? '' : '').split('\n').slice(1).join('\n');
