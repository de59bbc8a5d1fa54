/** A host that something was waiting for is gone. */
export class HostGone extends Error {}

export function ignoreHostGone(error: unknown): void {
  if (!(error instanceof HostGone)) throw error;
}
