/** One run of a contestant in its steady state, its start-up left out. */
export interface Measurement {
  readonly examplesPerSecond: number;
  /** What a Lockstep run tells of its steps. */
  readonly steps?: StepTimes;
  /** Images per second in the steps of the same run that bear no checkpoint. */
  readonly withoutCheckpoints?: number;
}

/** Medians over the steps, in milliseconds. */
export interface StepTimes {
  readonly stepMs: number;
  /** A step's time without that of its slowest worker's gradients. */
  readonly outsideMs: number;
}
