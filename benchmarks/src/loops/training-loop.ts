/** A training loop in one process: each call makes one step on the next batch and gives its mean loss. */
export type TrainingLoop = () => number;
