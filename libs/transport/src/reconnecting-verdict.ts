import { LockstepError, type ErrorCode } from '@lockstep/core';
import type { Refusal__Output } from './gen/lockstep/v1/Refusal.ts';

/** What a message of the coordinator says of the membership itself. */
export interface Verdict {
  readonly welcome?: unknown;
  readonly heartbeat?: unknown;
  readonly refusal?: Refusal__Output | null;
  readonly finish?: unknown;
}

/** What a coordinator may refuse a member with; anything else is a matter of the protocol. */
const CODES: readonly string[] = ['usage', 'config', 'data', 'prerequisite', 'not-found', 'engine', 'numerics', 'worker-lost', 'deadline', 'non-finite', 'aborted', 'storage'] satisfies ErrorCode[];

export function errorOfRefusal({ code, reason }: Refusal__Output): LockstepError {
  return new LockstepError(CODES.includes(code) ? (code as ErrorCode) : 'protocol', `refused by the coordinator: ${reason}`);
}
