import type { RunConfig } from '@lockstep/core';
import { createSampleOrder, globalBatchOf, microBatchRange, stepsPerEpoch, type Dataset, type Preparation } from '@lockstep/data';

/** The samples of one micro-batch as the model reads them. */
export interface MicroBatchSamples {
  readonly step: number;
  readonly microBatch: number;
  /** `[numExamples, ...sampleShape]`; valid until the source has prepared two more micro-batches. */
  readonly inputs: Float32Array;
  readonly labels: Uint8Array;
  readonly numExamples: number;
}

/** Prepares the micro-batches of the training set: which samples they have is a pure function of seed, step and number. */
export class MicroBatchSource {
  readonly #config: RunConfig;
  readonly #dataset: Dataset;
  readonly #preparation: Preparation;
  readonly #order;
  /** Two, in turn: one is computed on while the next is filled. */
  readonly #buffers: Float32Array[];
  #turn = 0;
  #ahead: MicroBatchSamples | null = null;

  constructor(config: RunConfig, dataset: Dataset, preparation: Preparation) {
    this.#config = config;
    this.#dataset = dataset;
    this.#preparation = preparation;
    this.#order = createSampleOrder(config.seed, dataset.numExamples);
    const capacity = Math.ceil(config.globalBatchSize / config.microBatches) * preparation.sampleLength;
    this.#buffers = [new Float32Array(capacity), new Float32Array(capacity)];
  }

  get stepsPerEpoch(): number {
    return stepsPerEpoch(this.#dataset.numExamples, this.#config.globalBatchSize);
  }

  take(step: number, microBatch: number): MicroBatchSamples {
    const ahead = this.#ahead;
    this.#ahead = null;
    return ahead?.step === step && ahead.microBatch === microBatch ? ahead : this.#prepare(step, microBatch);
  }

  /** Prepares a micro-batch before it is asked for, in time that would be spent waiting. */
  prepareAhead(step: number, microBatch: number): void {
    this.#ahead = this.#prepare(step, microBatch);
  }

  #prepare(step: number, microBatch: number): MicroBatchSamples {
    const { globalBatchSize, microBatches, seed } = this.#config;
    const batch = globalBatchOf(step, this.#dataset.numExamples, globalBatchSize);
    const { from, to } = microBatchRange(batch, microBatches, microBatch);
    const indices = Uint32Array.from({ length: to - from }, (_, offset) => this.#order.sampleAt(batch.epoch, from + offset));
    const inputs = this.#nextBuffer().subarray(0, indices.length * this.#preparation.sampleLength);
    this.#preparation.prepare(this.#dataset, indices, { seed, epoch: batch.epoch }, inputs);
    const labels = Uint8Array.from(indices, (index) => this.#dataset.labels[index] ?? 0);
    return { step, microBatch, inputs, labels, numExamples: indices.length };
  }

  #nextBuffer(): Float32Array {
    this.#turn = 1 - this.#turn;
    return this.#buffers[this.#turn] ?? new Float32Array(0);
  }
}
