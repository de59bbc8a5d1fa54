import { bytesOf, deriveSeed, sha256, uniformStream, type ClippingConfig, type CompressedWire, type OptimizerConfig, type ParameterWireConfig, type WireConfig } from '@lockstep/core';
import {
  addTallies, createKernels, createVectorCodec, encodedBytes, isCompressed, microBatchesOf, roundingOf, sliceBytes, wireOfStep, type Bytes, type Kernels, type VectorCodec, type Tally, type TreeNode, type Vector,
} from '@lockstep/reduction';
import { cutIntoShards, type ShardRange } from '../shard-range.ts';
import type { ShardPlan } from '../shard-plan.ts';

export const adam: OptimizerConfig = {
  kind: 'adam', learningRate: { base: { kind: 'constant', rate: 0.01 }, warmupSteps: 0 }, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, l2: 0,
};
export const noClipping: ClippingConfig = { value: null, globalNorm: null };

export interface SyntheticRunOptions {
  readonly trainableLength: number;
  readonly totalLength: number;
  readonly microBatches: number;
  readonly totalSteps: number;
  readonly optimizer?: OptimizerConfig;
  readonly clipping?: ClippingConfig;
  readonly rates?: ShardPlan['rates'];
  readonly wire?: WireConfig;
  readonly parameterWire?: ParameterWireConfig;
  readonly snapshotEvery?: readonly number[];
  readonly checkpointEvery?: number;
  readonly onNonFinite?: 'stop' | 'skip';
  /** These are no numbers: [step, micro-batch]. */
  readonly nonFinite?: readonly (readonly [number, number])[];
}

/** What workers would send: gradients that are a pure function of step and micro-batch, summed along the tree; where they are compressed, nothing is held back. */
export class SyntheticRun {
  readonly options: SyntheticRunOptions;
  readonly initial: Float32Array;
  readonly #kernels: Kernels = createKernels();
  readonly #codec: VectorCodec;

  constructor(options: SyntheticRunOptions) {
    this.options = options;
    const { wire = 'float32', trainableLength } = options;
    this.#codec = createVectorCodec(this.#kernels, this.#kernels.wireFormats[roundingOf(wire)], trainableLength);
    this.initial = draws(deriveSeed(1, 'initialization'), options.totalLength, 1);
  }

  /** The plan of shard `shard` of `shards`. */
  plan(shard = 0, shards = 1): ShardPlan {
    const { trainableLength, totalLength, microBatches, totalSteps, optimizer = adam, clipping = noClipping, rates = [], wire = 'float32', parameterWire = 'float32', snapshotEvery = [], checkpointEvery = null, onNonFinite = 'stop' } = this.options;
    const range = cutIntoShards(totalLength, shards)[shard]!;
    return { range, trainableLength, totalLength, microBatches, totalSteps, stepsPerEpoch: totalSteps, optimizer, clipping, rates, wire, parameterWire, shard, shards, snapshotEvery, checkpointEvery, onNonFinite };
  }

  /** What a worker's digests of a node's micro-batches would be. */
  digests(step: number, node: TreeNode): number[] {
    const { from, to } = microBatchesOf(node);
    return Array.from({ length: to - from }, (_, index) => deriveSeed(2, 'order', step, from + index));
  }

  /** A range of the sum of a node's gradients, as it travels, and its tally, as a worker makes them. */
  partial(step: number, node: TreeNode, { from, to }: ShardRange = { from: 0, to: this.options.totalLength }): { readonly slice: Uint8Array; readonly tally: Tally } {
    const { vector, tally } = this.#sum(step, node);
    const wire = wireOfStep(this.plan(), step);
    const bytesFor = encodedBytes(wire, this.options.trainableLength);
    const encoded = this.#kernels.allocateBytes(bytesFor(vector.length));
    if (isCompressed(wire)) this.#compress(wire, vector, encoded);
    else this.#codec.encode(vector, encoded);
    const slice = encoded.data.slice(bytesFor(from), bytesFor(to));
    this.#kernels.release(vector);
    this.#kernels.releaseBytes(encoded);
    return { slice, tally };
  }

  #compress(wire: CompressedWire, vector: Vector, encoded: Bytes): void {
    const { trainableLength } = this.options;
    const compressor = this.#kernels.compressor(wire);
    const numBytes = compressor.bytesFor(trainableLength);
    const state = this.#kernels.allocate(compressor.stateLength(trainableLength));
    compressor.resetState(state);
    compressor.take(this.#kernels.slice(vector, 0, trainableLength), state, sliceBytes(encoded, 0, numBytes));
    this.#kernels.wireFormats.float32.encode(this.#kernels.slice(vector, trainableLength, vector.length), sliceBytes(encoded, numBytes, encoded.length));
    this.#kernels.release(state);
  }

  #sum(step: number, node: TreeNode): { readonly vector: Vector; readonly tally: Tally } {
    if (node.level === 0) return this.#leaf(step, microBatchesOf(node).from);
    const left = this.#sum(step, { level: node.level - 1, index: 2 * node.index });
    const right = this.#sum(step, { level: node.level - 1, index: 2 * node.index + 1 });
    this.#codec.merge(left.vector, right.vector);
    this.#kernels.release(right.vector);
    return { vector: left.vector, tally: addTallies(left.tally, right.tally) };
  }

  #leaf(step: number, microBatch: number): { readonly vector: Vector; readonly tally: Tally } {
    const vector = this.#kernels.allocateZeros(this.options.totalLength);
    const isBad = this.options.nonFinite?.some(([badStep, bad]) => badStep === step && bad === microBatch) ?? false;
    if (!isBad) vector.data.set(draws(deriveSeed(1, 'dropout', step, microBatch), this.options.totalLength, 10 ** (microBatch % 5)));
    this.#codec.round(vector);
    const lossSum = isBad ? 0 : 0.1 * (step + microBatch);
    return { vector, tally: { numExamples: 3 + (microBatch % 2), numCorrect: isBad ? 0 : microBatch % 3, lossSum, numNonFinite: isBad ? 1 : 0 } };
  }
}

export const hashOf = (floats: Float32Array): string => sha256(bytesOf(floats));

function draws(seed: number, length: number, scale: number): Float32Array {
  const draw = uniformStream(seed);
  const floats = new Float32Array(length);
  for (let index = 0; index < length; index += 1) floats[index] = (draw() - 0.5) * scale;
  return floats;
}
