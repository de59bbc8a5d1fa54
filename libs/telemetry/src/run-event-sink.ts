import type { RunEvent } from '@lockstep/core';

/** Takes a run's events as they happen. Writing never blocks and never throws; what went wrong is told by `close`. */
export interface RunEventSink {
  write(event: RunEvent): void;
  /** Resolves once everything written has left the process; rejects with `storage` where some of it could not. */
  close(): Promise<void>;
}

/** One sink that gives each event to all of `sinks`. Closing closes all of them, then rejects with the first failure. */
export function fanOut(sinks: readonly RunEventSink[]): RunEventSink {
  return {
    write: (event) => sinks.forEach((sink) => sink.write(event)),
    close: async () => {
      const results = await Promise.allSettled(sinks.map((sink) => sink.close()));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}
