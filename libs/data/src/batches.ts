/**
 * The batch formula: which positions of which epoch's sample order a step and its micro-batches have. With `n` examples, batch size `B`
 * and `S = ceil(n / B)` steps an epoch, step `t` has the positions from `(t mod S) * B` on of epoch `floor(t / S)`, `B` of them or
 * what is left of the epoch. Of the `b` examples of a step, micro-batch `i` of `V` has `floor(i * b / V)` to `floor((i + 1) * b / V)`.
 * Nothing here knows of workers.
 */

/** The samples of one step, as positions of the epoch's order. */
export interface GlobalBatch {
  readonly epoch: number;
  readonly firstPosition: number;
  /** The batch size, or less in the last step of an epoch. */
  readonly numExamples: number;
}

export function stepsPerEpoch(numExamples: number, globalBatchSize: number): number {
  return Math.ceil(numExamples / globalBatchSize);
}

export function globalBatchOf(step: number, numExamples: number, globalBatchSize: number): GlobalBatch {
  const steps = stepsPerEpoch(numExamples, globalBatchSize);
  const epoch = Math.floor(step / steps);
  const firstPosition = (step - epoch * steps) * globalBatchSize;
  return { epoch, firstPosition, numExamples: Math.min(globalBatchSize, numExamples - firstPosition) };
}

/** Positions `from … to - 1` of the epoch's order; none where the batch has fewer examples than micro-batches. */
export function microBatchRange(batch: GlobalBatch, microBatches: number, microBatch: number): { from: number; to: number } {
  const boundary = (index: number): number => batch.firstPosition + Math.floor((index * batch.numExamples) / microBatches);
  return { from: boundary(microBatch), to: boundary(microBatch + 1) };
}
