import type { ModelTensors } from '@lockstep/engine';
import type { Tally } from '@lockstep/reduction';

export type MicroBatchTally = Pick<Tally, 'lossSum' | 'numCorrect' | 'numExamples'>;

/** What a part of a split evaluates to. */
export interface PartEvaluation extends MicroBatchTally {
  /** `[examples, classes]` of a classifier, else empty. */
  readonly probabilities: Float32Array;
}

/** The run's model on the run's data: what a worker computes. Each result is a pure function of the parameters last loaded and the numbers asked for. */
export interface TrainingTask {
  readonly model: ModelTensors;
  readonly stepsPerEpoch: number;
  /** The gradient of a micro-batch's loss sum, in the model's layout; one without samples gives zeros. */
  gradient(step: number, microBatch: number, into: Float32Array): MicroBatchTally;
  /** Prepares a micro-batch before it is asked for, in time that would be spent waiting. */
  prepareAhead(step: number, microBatch: number): void;
  evaluatePart(split: 'validation' | 'test', part: number): PartEvaluation;
}
