import { bytesOf, deriveSeed, sha256, uniformStream, type ClippingConfig, type OptimizerConfig } from '@lockstep/core';
import { addTallies, createKernels, microBatchesOf, type Kernels, type Tally, type TreeNode, type Vector } from '@lockstep/reduction';
import type { ShardRange } from '../shard-range.ts';
import type { ShardPlan } from '../shard.ts';

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
}

/** What workers would send: gradients that are a pure function of step and micro-batch, summed along the tree. */
export class SyntheticRun {
  readonly options: SyntheticRunOptions;
  readonly initial: Float32Array;
  readonly #kernels: Kernels = createKernels();

  constructor(options: SyntheticRunOptions) {
    this.options = options;
    this.initial = draws(deriveSeed(1, 'initialization'), options.totalLength, 1);
  }

  plan(range: ShardRange = { from: 0, to: this.options.totalLength }): ShardPlan {
    const { trainableLength, microBatches, totalSteps, optimizer = adam, clipping = noClipping } = this.options;
    return { range, trainableLength, microBatches, totalSteps, optimizer, clipping };
  }

  /** The sum of a node's gradients and its tally, as a worker makes them. */
  partial(step: number, node: TreeNode): { readonly sum: Float32Array; readonly tally: Tally } {
    const { vector, tally } = this.#sum(step, node);
    const sum = vector.data.slice();
    this.#kernels.release(vector);
    return { sum, tally };
  }

  #sum(step: number, node: TreeNode): { readonly vector: Vector; readonly tally: Tally } {
    if (node.level === 0) return this.#leaf(step, microBatchesOf(node).from);
    const left = this.#sum(step, { level: node.level - 1, index: 2 * node.index });
    const right = this.#sum(step, { level: node.level - 1, index: 2 * node.index + 1 });
    this.#kernels.add(left.vector, right.vector);
    this.#kernels.release(right.vector);
    return { vector: left.vector, tally: addTallies(left.tally, right.tally) };
  }

  #leaf(step: number, microBatch: number): { readonly vector: Vector; readonly tally: Tally } {
    const vector = this.#kernels.allocateZeros(this.options.totalLength);
    vector.data.set(draws(deriveSeed(1, 'dropout', step, microBatch), this.options.totalLength, 10 ** (microBatch % 5)));
    return { vector, tally: { numExamples: 3 + (microBatch % 2), numCorrect: microBatch % 3, lossSum: 0.1 * (step + microBatch) } };
  }
}

export const hashOf = (floats: Float32Array): string => sha256(bytesOf(floats));

function draws(seed: number, length: number, scale: number): Float32Array {
  const draw = uniformStream(seed);
  const floats = new Float32Array(length);
  for (let index = 0; index < length; index += 1) floats[index] = (draw() - 0.5) * scale;
  return floats;
}
