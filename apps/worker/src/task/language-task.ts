import { deriveSeed, isLanguageModel, LockstepError, type RunConfig } from '@lockstep/core';
import { createSampleOrder, globalBatchOf, microBatchRange, stepsPerEpoch, type SampleOrder } from '@lockstep/data';
import { evaluateRows, type Engine, type LanguageModel } from '@lockstep/engine';
import { createLanguageModel } from '@lockstep/models';
import { openTokenFile, splitRows, type RowSplits, type TokenFile } from '@lockstep/text';
import type { MicroBatchTally, PartEvaluation, TrainingTask } from './training-task.ts';

/** Rows of a token file and a model that predicts each next token. */
class LanguageTask implements TrainingTask {
  readonly model: LanguageModel;
  readonly #config: RunConfig;
  readonly #file: TokenFile;
  readonly #rowLength: number;
  readonly #splits: RowSplits;
  readonly #order: SampleOrder;

  constructor(config: RunConfig, model: LanguageModel, file: TokenFile, rowLength: number) {
    this.model = model;
    this.#config = config;
    this.#file = file;
    this.#rowLength = rowLength;
    this.#splits = splitRows(file.numRows(rowLength), config.data);
    this.#order = createSampleOrder(config.seed, this.#numTrainingRows);
  }

  get stepsPerEpoch(): number {
    return stepsPerEpoch(this.#numTrainingRows, this.#config.globalBatchSize);
  }

  gradient(step: number, microBatch: number, into: Float32Array): MicroBatchTally {
    const rows = this.#rowsOf(step, microBatch);
    if (rows.length > 0) return this.model.gradient(this.#file.readRows(rows, this.#rowLength), deriveSeed(this.#config.seed, 'dropout', step, microBatch), into);
    into.fill(0);
    return { lossSum: 0, numCorrect: 0, numExamples: 0 };
  }

  /** Rows come from the system's file cache in microseconds. */
  prepareAhead(): void {}

  evaluatePart(split: 'validation' | 'test', part: number): PartEvaluation {
    return { ...evaluateRows(this.model, this.#file, this.#rowLength, this.#splits[split], part), probabilities: new Float32Array(0) };
  }

  #rowsOf(step: number, microBatch: number): Float64Array {
    const { globalBatchSize, microBatches } = this.#config;
    const batch = globalBatchOf(step, this.#numTrainingRows, globalBatchSize);
    const { from, to } = microBatchRange(batch, microBatches, microBatch);
    return Float64Array.from({ length: to - from }, (_, offset) => this.#splits.training.from + this.#order.sampleAt(batch.epoch, from + offset));
  }

  get #numTrainingRows(): number {
    const { from, to } = this.#splits.training;
    return to - from;
  }
}

/** @throws LockstepError `config` where the tokens and the model do not fit. */
export async function createLanguageTask(engine: Engine, config: RunConfig, tokenPath: string): Promise<TrainingTask> {
  const { data: { source }, seed } = config;
  if (source.kind !== 'tokens' || !isLanguageModel(config.model)) throw new LockstepError('config', `model: ${config.model.kind} cannot be trained on ${source.kind}`);
  const file = openTokenFile(tokenPath);
  const model = await createLanguageModel(engine, config.model, { vocabularySize: file.header.vocabularySize, seed });
  return new LanguageTask(config, model, file, source.rowLength);
}
