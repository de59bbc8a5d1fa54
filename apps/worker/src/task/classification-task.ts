import { deriveSeed, type RunConfig } from '@lockstep/core';
import { createPreparation, type DataSplits, type Preparation } from '@lockstep/data';
import { evaluatePart, type TrainingModel } from '@lockstep/engine';
import { evaluationPartRange, sizeOfImages } from '@lockstep/scheduling';
import { MicroBatchSource } from './micro-batch-source.ts';
import type { MicroBatchTally, PartEvaluation, TrainingTask } from './training-task.ts';

/** Labelled images and a model that names their classes. */
export class ClassificationTask implements TrainingTask {
  readonly model: TrainingModel;
  readonly #seed: number;
  readonly #splits: DataSplits;
  readonly #preparation: Preparation;
  readonly #source: MicroBatchSource;

  constructor(config: RunConfig, model: TrainingModel, splits: DataSplits) {
    this.model = model;
    this.#seed = config.seed;
    this.#splits = splits;
    this.#preparation = createPreparation(config.data, splits.training.imageShape, splits.statistics);
    this.#source = new MicroBatchSource(config, splits.training, this.#preparation);
  }

  get stepsPerEpoch(): number {
    return this.#source.stepsPerEpoch;
  }

  gradient(step: number, microBatch: number, into: Float32Array): MicroBatchTally {
    const { inputs, labels, numExamples } = this.#source.take(step, microBatch);
    if (numExamples > 0) return this.model.gradient(inputs, labels, deriveSeed(this.#seed, 'dropout', step, microBatch), into);
    into.fill(0);
    return { lossSum: 0, numCorrect: 0, numExamples };
  }

  prepareAhead(step: number, microBatch: number): void {
    this.#source.prepareAhead(step, microBatch);
  }

  evaluatePart(split: 'validation' | 'test', part: number): PartEvaluation {
    const { from, to } = evaluationPartRange(part, sizeOfImages(this.#splits[split].numExamples));
    return { ...evaluatePart(this.model, this.#splits, this.#preparation, split, part), numExamples: to - from };
  }
}
