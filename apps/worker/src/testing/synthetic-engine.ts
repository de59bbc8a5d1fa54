import { bytesOf } from '@lockstep/core';
import { addTallies, createKernels, microBatchesOf, type Tally, type TreeNode, type Vector } from '@lockstep/reduction';
import type { PartialMessage } from '../engine-handle.ts';
import type { TrainingLoopOptions } from '../training-loop.ts';

type Engine = TrainingLoopOptions['engine'];

/** An engine whose gradients are a pure function of parameters, step and micro-batch, and which can be made to wait. */
export class SyntheticEngine implements Engine {
  readonly #kernels = createKernels();
  readonly #lent: Vector[] = [];
  /** What was computed, in order. */
  readonly computed: { readonly step: number; readonly microBatch: number }[] = [];
  onPartial: (partial: PartialMessage) => void = () => undefined;
  /** Awaited before each micro-batch. */
  gate: (step: number, microBatch: number) => Promise<void> = async () => undefined;
  #number = 0;
  #useless = 0;

  async compute({ step, begins, nodes, parameters }: Parameters<Engine['compute']>[0]): Promise<void> {
    this.#number += 1;
    const number = this.#number;
    if (begins) for (const vector of this.#lent.splice(0)) this.#kernels.release(vector);
    for (const node of nodes) {
      const partial = await this.#computeNode(number, step, node, parameters);
      if (partial === null) return;
      this.onPartial(partial);
    }
  }

  interrupt(): void {
    this.#useless = this.#number;
  }

  wait(): void {}

  async #computeNode(number: number, step: number, node: TreeNode, parameters: Float32Array): Promise<PartialMessage | null> {
    const { from, to } = microBatchesOf(node);
    const sum = this.#kernels.allocateZeros(parameters.length);
    this.#lent.push(sum);
    let tally: Tally = { numExamples: 0, numCorrect: 0, lossSum: 0, numNonFinite: 0 };
    for (let microBatch = from; microBatch < to; microBatch += 1) {
      await this.gate(step, microBatch);
      if (number <= this.#useless) return null;
      this.computed.push({ step, microBatch });
      parameters.forEach((value, index) => {
        sum.data[index] = (sum.data[index] ?? 0) + gradientAt(value, step, microBatch);
      });
      tally = addTallies(tally, { numExamples: 1, numCorrect: 1, lossSum: 1, numNonFinite: 0 });
    }
    const digests = Array.from({ length: to - from }, (_, offset) => from + offset);
    return { kind: 'partial', number, step, node, tally, computeMs: 1, digests, sum: bytesOf(sum.data), wire: 'float32' };
  }
}

/** Whole numbers, so that sums are exact in any order. */
export const gradientAt = (value: number, step: number, microBatch: number): number => (value % 7) + step * 8 + microBatch;

/** The parameters after steps `from … to-1` over `microBatches` each, in one process. */
export function trainedAlone(parameters: Float32Array, microBatches: number, from: number, to: number): Float32Array {
  let current = parameters.slice();
  for (let step = from; step < to; step += 1) {
    current = current.map((value) => {
      let sum = 0;
      for (let microBatch = 0; microBatch < microBatches; microBatch += 1) sum += gradientAt(value, step, microBatch);
      return value + sum;
    });
  }
  return current;
}
