import { z } from 'zod';

/** The epoch of least validation loss so far; `version` is the one at its end. */
export const bestEpochSchema = z.strictObject({ epoch: z.int().min(0), loss: z.number(), version: z.int().min(0) });

/** What a run has come to besides its parameters and optimizer state. */
export const runProgressSchema = z.strictObject({
  best: bestEpochSchema.nullable(),
  /** Spent training up to here, the run's earlier processes included. */
  trainSeconds: z.number().min(0),
  /** Applied over all steps. */
  numExamples: z.int().min(0),
});

export type BestEpoch = z.output<typeof bestEpochSchema>;
export type RunProgress = z.output<typeof runProgressSchema>;
