import { LockstepError, type DataConfig } from '@lockstep/core';
import type { CleaningLog, SampleOrigin } from '../cleaning-report.ts';
import type { Dataset } from '../dataset.ts';

/** Samples as a reader found them, and where each comes from. */
export interface SourcePart {
  readonly dataset: Dataset;
  /** Samples that the source declares, those the reader had to drop included. */
  readonly numRead: number;
  originOf(index: number): SampleOrigin;
}

export interface SourceParts {
  readonly training: SourcePart;
  /** Null where the source has no test set of its own. */
  readonly test: SourcePart | null;
  readonly classNames: readonly string[];
}

export type ReportProgress = (done: number, total: number, what: string) => void;

/** What a reader works with. */
export interface ReadContext {
  readonly config: DataConfig;
  readonly log: CleaningLog;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ReportProgress;
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new LockstepError('aborted', 'reading the data was aborted', { cause: signal.reason });
}

/** `0`, `1`, …: the names of classes that are only numbered. */
export function numberedClasses(numClasses: number): string[] {
  return Array.from({ length: numClasses }, (_, label) => String(label));
}
