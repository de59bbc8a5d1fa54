/**
 * What went wrong, by whose doing. The first group are a user's mistakes and end the process with exit code 2,
 * the second are failures and end it with 1.
 */
export type ErrorCode =
  | 'usage' | 'config' | 'data' | 'prerequisite' | 'not-found'
  | 'engine' | 'numerics' | 'protocol' | 'connection' | 'worker-lost' | 'deadline' | 'non-finite' | 'aborted' | 'storage';

const USER_MISTAKES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['usage', 'config', 'data', 'prerequisite', 'not-found']);

export interface LockstepErrorOptions {
  /** One sentence that says what to do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** The one error class. The message names what was found and what was expected, and where (file, line, field, rank, step). */
export class LockstepError extends Error {
  override readonly name = 'LockstepError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: LockstepErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  /** 2 for a user's mistake, 1 for a failure. */
  get exitCode(): 1 | 2 {
    return USER_MISTAKES.has(this.code) ? 2 : 1;
  }
}

/** Ends a switch over a union: fails to compile when a member is missing. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** What an unknown thrown value says of itself. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
