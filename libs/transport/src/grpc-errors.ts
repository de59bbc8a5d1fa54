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
  [status.UNAVAILABLE, 'connection'],
]);

export function errorFromStatus(error: unknown, peer: string): LockstepError {
  const { code, details } = error as Partial<ServiceError>;
  const known = code === undefined ? undefined : CODES.get(code);
  return new LockstepError(known ?? 'connection', `${peer}: ${details ?? String(error)}`, { cause: error });
}

export function statusFromError(error: unknown): Partial<StatusObject> {
  if (!(error instanceof LockstepError)) return { code: status.INTERNAL, details: String(error) };
  const code = [...CODES].find(([, known]) => known === error.code)?.[0] ?? status.INTERNAL;
  return { code, details: error.message };
}
