import { status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { LockstepError, type ErrorCode } from '@lockstep/core';

/**
 * The one place where a gRPC status becomes an error of ours and back. CANCELLED is what a stream ends with whose server
 * has stopped: a broken connection, not somebody's wish to abort.
 */
const CODES: ReadonlyMap<status, ErrorCode> = new Map<status, ErrorCode>([
  [status.ABORTED, 'aborted'],
  [status.INVALID_ARGUMENT, 'protocol'],
  [status.DEADLINE_EXCEEDED, 'deadline'],
  [status.NOT_FOUND, 'not-found'],
  [status.FAILED_PRECONDITION, 'protocol'],
  [status.PERMISSION_DENIED, 'protocol'],
  [status.RESOURCE_EXHAUSTED, 'protocol'],
  [status.DATA_LOSS, 'storage'],
  [status.UNAVAILABLE, 'connection'],
]);

/** What a call ends with whose server is not there, has gone or is stopping: the same call may succeed on another connection. */
const BROKEN: ReadonlySet<status | undefined> = new Set<status | undefined>([status.UNAVAILABLE, status.CANCELLED]);

export function errorFromStatus(error: unknown, peer: string): LockstepError {
  const { code, details } = error as Partial<ServiceError>;
  const known = code === undefined ? undefined : CODES.get(code);
  return new LockstepError(known ?? 'connection', `${peer}: ${(details ?? String(error)).replace(/ Resolution note: $/, '')}`, { cause: error });
}

/** Whether an error of `errorFromStatus` says that the connection broke, not that the peer refused. */
export function isBrokenConnection(error: unknown): boolean {
  return error instanceof LockstepError && BROKEN.has((error.cause as Partial<ServiceError> | undefined)?.code);
}

export function statusFromError(error: unknown): Partial<StatusObject> {
  if (!(error instanceof LockstepError)) return { code: status.INTERNAL, details: String(error) };
  const code = [...CODES].find(([, known]) => known === error.code)?.[0] ?? status.INTERNAL;
  return { code, details: error.message };
}
