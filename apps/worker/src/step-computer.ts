import { bytesOf, LockstepError, type RunConfig, type WireConfig } from '@lockstep/core';
import {
  addTallies, createVectorCodec, emptyTally, isCompressed, leafOf, microBatchesOf, roundingOf, TreeReduction, type Kernels, type VectorCodec, type Tally, type TreeNode, type Vector,
} from '@lockstep/reduction';
import { ErrorFeedback, type TravellingSum } from './error-feedback.ts';
import type { TrainingTask } from './task/training-task.ts';

export interface NodePartial {
  readonly node: TreeNode;
  readonly tally: Tally;
  readonly computeMs: number;
  /** The gradient sum as it travels: as `wire` says. */
  readonly sum: Uint8Array;
  readonly wire: WireConfig;
  /** Of each micro-batch's gradient, in order. */
  readonly digests: readonly number[];
}

interface Gradient extends Pick<NodePartial, 'tally' | 'digests'> {
  readonly sum: Vector;
}

/** Computes tree nodes of a step: the gradients of their micro-batches, each alone, summed along the tree. */
export class StepComputer {
  readonly #config: RunConfig;
  readonly #task: Pick<TrainingTask, 'model' | 'stepsPerEpoch' | 'gradient'>;
  readonly #kernels: Kernels;
  /** Adds sums up, rounded as they travel. */
  readonly #codec: VectorCodec;
  /** Null where nothing is held back. */
  readonly #feedback: ErrorFeedback | null;
  /** Each gives back the memory of a sum that was given out. */
  readonly #lent: (() => void)[] = [];

  constructor(config: RunConfig, task: Pick<TrainingTask, 'model' | 'stepsPerEpoch' | 'gradient'>, kernels: Kernels) {
    this.#config = config;
    this.#task = task;
    this.#kernels = kernels;
    const { wire, microBatches } = config;
    const { model: { layout }, stepsPerEpoch } = task;
    this.#codec = createVectorCodec(kernels, kernels.wireFormats[roundingOf(wire)], layout.trainableLength);
    this.#feedback = isCompressed(wire) ? new ErrorFeedback({ plan: { wire, stepsPerEpoch }, microBatches, layout, kernels }) : null;
  }

  /** A step begins: the sums of the one before are reused. */
  begin(): void {
    for (const release of this.#lent.splice(0)) release();
  }

  /** The partials of `nodes` on the parameters last loaded; ends early where `isUseless`, asked before each micro-batch, says so. */
  *compute(step: number, nodes: readonly TreeNode[], isUseless: () => boolean): Generator<NodePartial> {
    for (const node of nodes.flatMap((whole) => this.#feedback?.groupsIn(whole) ?? [whole])) {
      const partial = this.#computeNode(step, node, isUseless);
      if (partial === null) return;
      yield partial;
    }
  }

  /** Computes a gradient for nothing: the first takes many times as long as those after it. */
  warmUp(): void {
    const sum = this.#kernels.allocate(this.#task.model.layout.totalLength);
    this.#task.gradient(0, 0, sum.data);
    this.#kernels.release(sum);
  }

  #computeNode(step: number, node: TreeNode, isUseless: () => boolean): NodePartial | null {
    const startMs = performance.now();
    const reduction = new TreeReduction<Gradient>(this.#config.microBatches, {
      merge: (left, right) => this.#merge(left, right),
      release: ({ sum }) => this.#kernels.release(sum),
    });
    const { from, to } = microBatchesOf(node);
    for (let microBatch = from; microBatch < to; microBatch += 1) {
      if (isUseless()) {
        reduction.clear();
        return null;
      }
      reduction.add(leafOf(microBatch), this.#computeMicroBatch(step, microBatch));
    }
    const partial = reduction.get(node);
    if (partial === undefined) throw new Error(`node (${node.level}, ${node.index}) did not come together`);
    const { bytes, wire, release } = this.#feedback?.take(step, node, partial.sum) ?? this.#encode(partial.sum);
    this.#lent.push(release);
    return { ...partial, node, sum: bytes, wire, computeMs: performance.now() - startMs };
  }

  /** Every sum is rounded already, so nothing is lost. */
  #encode(sum: Vector): TravellingSum {
    const { wire } = this.#config;
    if (wire === 'float32') return { bytes: bytesOf(sum.data), wire, release: () => this.#kernels.release(sum) };
    const encoded = this.#kernels.allocateBytes(this.#codec.bytesFor(sum.length));
    this.#codec.encode(sum, encoded);
    this.#kernels.release(sum);
    return { bytes: encoded.data, wire, release: () => this.#kernels.releaseBytes(encoded) };
  }

  #merge(left: Gradient, right: Gradient): Gradient {
    this.#codec.merge(left.sum, right.sum);
    this.#kernels.release(right.sum);
    return { sum: left.sum, tally: addTallies(left.tally, right.tally), digests: [...left.digests, ...right.digests] };
  }

  #computeMicroBatch(step: number, microBatch: number): Gradient {
    const sum = this.#kernels.allocate(this.#task.model.layout.totalLength);
    const { lossSum, numCorrect, numExamples } = this.#task.gradient(step, microBatch, sum.data);
    if (numExamples === 0) return { sum, tally: emptyTally, digests: [0] };
    const { firstNonFinite, digest } = this.#kernels.scan(sum);
    // TensorFlow's gradient of ReLU is 0 at NaN, so the loss must be looked at too.
    if (Number.isFinite(lossSum) && firstNonFinite < 0) {
      this.#codec.round(sum);
      return { sum, tally: { numExamples, numCorrect, lossSum, numNonFinite: 0 }, digests: [digest] };
    }
    if (this.#config.onNonFinite === 'stop') throw this.#nonFinite(`step ${step}, micro-batch ${microBatch}`, lossSum, sum, firstNonFinite);
    sum.data.fill(0);
    return { sum, tally: { numExamples, numCorrect: 0, lossSum: 0, numNonFinite: 1 }, digests: [0] };
  }

  #nonFinite(where: string, lossSum: number, sum: Vector, index: number): LockstepError {
    const hint = "a lower learning rate, clipping or a warm-up often helps; onNonFinite: 'skip' leaves such steps out";
    if (!Number.isFinite(lossSum)) return new LockstepError('non-finite', `${where}: the loss is ${lossSum}`, { hint });
    const tensor = this.#task.model.layout.parameters.find(({ offset, length }) => index < offset + length);
    return new LockstepError('non-finite', `${where}: the gradient of ${tensor?.name ?? 'a tensor'} is ${sum.data[index]}`, { hint });
  }
}
