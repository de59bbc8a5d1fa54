import { deriveSeed, LockstepError, type RunConfig } from '@lockstep/core';
import type { TrainingModel } from '@lockstep/engine';
import { addTallies, emptyTally, leafOf, microBatchesOf, TreeReduction, type Kernels, type Tally, type TreeNode, type Vector } from '@lockstep/reduction';
import type { MicroBatchSource } from './micro-batch-source.ts';

export interface NodePartial {
  readonly node: TreeNode;
  readonly tally: Tally;
  readonly computeMs: number;
  readonly sum: Vector;
}

/** Computes tree nodes of a step: the gradients of their micro-batches, each alone, summed along the tree. */
export class StepComputer {
  readonly #config: RunConfig;
  readonly #model: TrainingModel;
  readonly #source: MicroBatchSource;
  readonly #kernels: Kernels;
  readonly #lent: Vector[] = [];

  constructor(config: RunConfig, model: TrainingModel, source: MicroBatchSource, kernels: Kernels) {
    this.#config = config;
    this.#model = model;
    this.#source = source;
    this.#kernels = kernels;
  }

  /** The partials of `nodes` on the parameters last loaded. Their sums are reused once the next call begins. */
  *compute(step: number, nodes: readonly TreeNode[]): Generator<NodePartial> {
    for (const vector of this.#lent.splice(0)) this.#kernels.release(vector);
    for (const node of nodes) {
      const partial = this.#computeNode(step, node);
      this.#lent.push(partial.sum);
      yield partial;
    }
  }

  #computeNode(step: number, node: TreeNode): NodePartial {
    const startMs = performance.now();
    const reduction = new TreeReduction<{ readonly sum: Vector; readonly tally: Tally }>(this.#config.microBatches, {
      merge: (left, right) => {
        this.#kernels.add(left.sum, right.sum);
        this.#kernels.release(right.sum);
        return { sum: left.sum, tally: addTallies(left.tally, right.tally) };
      },
      release: ({ sum }) => this.#kernels.release(sum),
    });
    const { from, to } = microBatchesOf(node);
    for (let microBatch = from; microBatch < to; microBatch += 1) {
      reduction.add(leafOf(microBatch), this.#computeMicroBatch(step, microBatch));
    }
    const partial = reduction.get(node);
    if (partial === undefined) throw new Error(`node (${node.level}, ${node.index}) did not come together`);
    return { node, ...partial, computeMs: performance.now() - startMs };
  }

  #computeMicroBatch(step: number, microBatch: number): { readonly sum: Vector; readonly tally: Tally } {
    const { inputs, labels, numExamples } = this.#source.take(step, microBatch);
    const { totalLength } = this.#model.layout;
    if (numExamples === 0) return { sum: this.#kernels.allocateZeros(totalLength), tally: emptyTally };
    const sum = this.#kernels.allocate(totalLength);
    const seed = deriveSeed(this.#config.seed, 'dropout', step, microBatch);
    const { lossSum, numCorrect } = this.#model.gradient(inputs, labels, seed, sum.data);
    this.#requireFinite(`step ${step}, micro-batch ${microBatch}`, lossSum, sum);
    return { sum, tally: { numExamples, numCorrect, lossSum } };
  }

  /** TensorFlow's gradient of ReLU is 0 at NaN, so the loss must be looked at too. */
  #requireFinite(where: string, lossSum: number, sum: Vector): void {
    const hint = 'a lower learning rate, clipping or a warm-up often helps';
    if (!Number.isFinite(lossSum)) throw new LockstepError('non-finite', `${where}: the loss is ${lossSum}`, { hint });
    const index = this.#kernels.firstNonFinite(sum);
    if (index < 0) return;
    const tensor = this.#model.layout.parameters.find(({ offset, length }) => index < offset + length);
    throw new LockstepError('non-finite', `${where}: the gradient of ${tensor?.name ?? 'a tensor'} is ${sum.data[index]}`, { hint });
  }
}
