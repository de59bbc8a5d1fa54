import type { EpochEvent } from '@lockstep/core';
import type { EntryOf } from '@lockstep/checkpoint';

/** What users are told of an epoch that is judged. */
export function epochEventOf({ epoch, version, loss, accuracy, validation, elapsedSeconds, examplesPerSecond, parametersSha256 }: EntryOf<'epoch'>): EpochEvent {
  return { event: 'epoch', epoch, step: version - 1, loss, accuracy, validation, elapsedSeconds, examplesPerSecond, parametersSha256 };
}
