import { LockstepError, type EndEvent, type EpochEvent, type RunEvent, type ShardsEvent, type StartEvent, type StepEvent, type WorkerEvent } from '@lockstep/core';
import { createRunHistory } from '../run-history.ts';

/** A run's events by kind; of each worker the last word. */
export interface RunRecord {
  readonly start: StartEvent;
  /** Where the shards were at the end. */
  readonly shards: ShardsEvent | null;
  readonly workers: readonly WorkerEvent[];
  readonly steps: readonly StepEvent[];
  readonly epochs: readonly EpochEvent[];
  readonly end: EndEvent;
}

/** Throws `data` where the run's start or end is missing. */
export function recordRun(events: readonly RunEvent[]): RunRecord {
  const history = createRunHistory();
  events.forEach((event) => history.write(event));
  const thinned = history.events();
  const ofKind = <Kind extends RunEvent['event']>(kind: Kind) => thinned.filter((event): event is Extract<RunEvent, { event: Kind }> => event.event === kind);
  const [start, end] = [ofKind('start').at(-1), ofKind('end').at(-1)];
  if (start === undefined || end === undefined) throw new LockstepError('data', 'a report needs the events start and end of its run');
  const workers = [...new Map(ofKind('worker').map((event) => [event.rank, event])).values()].sort((a, b) => a.rank - b.rank);
  return { start, shards: ofKind('shards').at(-1) ?? null, workers, steps: ofKind('step'), epochs: ofKind('epoch'), end };
}
