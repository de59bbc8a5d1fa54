import { LockstepError } from '@lockstep/core';

export const FAULTS = [
  'truncated', 'wrong-count', 'missing-columns', 'extra-columns', 'not-a-number', 'pixel-out-of-range', 'label-out-of-range',
  'unreadable', 'wrong-size', 'blank', 'duplicate',
] as const;
/** What is wrong with a sample. */
export type Fault = (typeof FAULTS)[number];

/** Where a sample comes from. `row`: the line of a CSV file, from 1; the number of a sample in an IDX file, from 0; null for an image file. */
export interface SampleOrigin {
  readonly file: string;
  readonly row: number | null;
}

export interface FaultExample extends SampleOrigin {
  /** What was found and what was expected. */
  readonly detail: string;
}

export interface FaultCount {
  readonly fault: Fault;
  readonly count: number;
  /** How many of them were left out; the rest were only counted. */
  readonly dropped: number;
  /** The first few. */
  readonly examples: readonly FaultExample[];
}

/** What cleaning found in the whole source. */
export interface CleaningReport {
  /** Samples that the source declares. */
  readonly numRead: number;
  /** Samples left after cleaning, in all parts together. */
  readonly numKept: number;
  /** The faults that occurred. */
  readonly faults: readonly FaultCount[];
}

const MAX_EXAMPLES = 5;

/** `train.csv, row 7`: how a message names a sample. */
export function describeOrigin(origin: SampleOrigin): string {
  return origin.row === null ? origin.file : `${origin.file}, row ${origin.row}`;
}

/** Collects faults while a source is read and cleaned; with `onBadSample: 'error'` the first one to be dropped is thrown. */
export class CleaningLog {
  readonly #faults = new Map<Fault, { count: number; dropped: number; examples: FaultExample[] }>();
  readonly #onBadSample: 'error' | 'drop';

  constructor(onBadSample: 'error' | 'drop') {
    this.#onBadSample = onBadSample;
  }

  /** `count` samples from `origin` on are left out. Throws a `data` error where the run does not drop bad samples. */
  drop(fault: Fault, origin: SampleOrigin, detail: string, count = 1): void {
    if (this.#onBadSample === 'error') {
      throw new LockstepError('data', `${describeOrigin(origin)}: ${fault}: ${detail}`, { hint: "repair the data, or set data.onBadSample to 'drop' to leave such samples out" });
    }
    this.#record(fault, origin, detail, count, count);
  }

  /** A sample that is kept. */
  note(fault: Fault, origin: SampleOrigin, detail: string): void {
    this.#record(fault, origin, detail, 1, 0);
  }

  report(numRead: number, numKept: number): CleaningReport {
    const faults = FAULTS.filter((fault) => this.#faults.has(fault)).map((fault) => ({ fault, ...this.#faults.get(fault)! }));
    return { numRead, numKept, faults };
  }

  #record(fault: Fault, origin: SampleOrigin, detail: string, count: number, dropped: number): void {
    const entry = this.#faults.get(fault) ?? { count: 0, dropped: 0, examples: [] };
    entry.count += count;
    entry.dropped += dropped;
    if (entry.examples.length < MAX_EXAMPLES) entry.examples.push({ file: origin.file, row: origin.row, detail });
    this.#faults.set(fault, entry);
  }
}
