import { bytesOf, LockstepError, type CompressedWire, type ParameterLayout, type WireConfig } from '@lockstep/core';
import { beginsWindow, encodedBytes, groupLevel, microBatchesOf, sliceBytes, wireOfStep, type Compressor, type Kernels, type TreeNode, type Vector, type WirePlan } from '@lockstep/reduction';

/** A group's sum as it travels. */
export interface TravellingSum {
  readonly bytes: Uint8Array;
  readonly wire: WireConfig;
  /** The bytes are not needed any more. */
  readonly release: () => void;
}

/** What a group held back, for its next step. */
interface Held {
  readonly nextStep: number;
  /** Of the whole vector; buffers, which travel whole, are of no meaning. */
  readonly residual: Vector;
  /** The compressor's. */
  readonly state: Vector;
}

export interface ErrorFeedbackOptions {
  readonly plan: WirePlan & { readonly wire: CompressedWire };
  readonly microBatches: number;
  readonly layout: Pick<ParameterLayout, 'trainableLength' | 'totalLength'>;
  readonly kernels: Kernels;
}

/**
 * Compresses the gradient sums of groups, and adds what a step holds back to the same group's sum in the next. Within a
 * window (libs/reduction, feedback-windows.ts) a group stays with one worker; a window begins with nothing held back.
 */
export class ErrorFeedback {
  readonly #options: ErrorFeedbackOptions;
  readonly #compressor: Compressor;
  readonly #bytesFor: (length: number) => number;
  readonly #level: number;
  /** By the group's index. */
  readonly #held = new Map<number, Held>();

  constructor(options: ErrorFeedbackOptions) {
    const { plan: { wire }, microBatches, layout, kernels } = options;
    this.#options = options;
    this.#compressor = kernels.compressor(wire);
    this.#bytesFor = encodedBytes(wire, layout.trainableLength);
    this.#level = groupLevel(wire, microBatches);
  }

  /** The groups that a node is made of, in order. @throws LockstepError `protocol` for a part of a group. */
  groupsIn(node: TreeNode): TreeNode[] {
    if (node.level < this.#level) throw new LockstepError('protocol', `node (${node.level}, ${node.index}) is part of a group of ${2 ** this.#level} micro-batches, expected whole groups`);
    const { from, to } = microBatchesOf({ level: node.level - this.#level, index: node.index });
    return Array.from({ length: to - from }, (_, offset) => ({ level: this.#level, index: from + offset }));
  }

  /**
   * What travels of a group's sum at a step, which takes the sum over.
   * @throws LockstepError `protocol` where the worker did not compute the group's step before, in the same window.
   */
  take(step: number, { index }: TreeNode, sum: Vector): TravellingSum {
    const { plan, layout: { trainableLength, totalLength }, kernels } = this.#options;
    const trainable = kernels.slice(sum, 0, trainableLength);
    const held = this.#heldBefore(step, index);
    if (held !== null) kernels.add(trainable, kernels.slice(held.residual, 0, trainableLength));
    if (wireOfStep(plan, step) === 'float32') return { bytes: bytesOf(sum.data), wire: 'float32', release: () => kernels.release(sum) };
    const { residual, state } = held ?? this.#begin(index);
    const out = kernels.allocateBytes(this.#bytesFor(totalLength));
    this.#compressor.take(trainable, state, sliceBytes(out, 0, this.#bytesFor(trainableLength)));
    kernels.wireFormats.float32.encode(kernels.slice(sum, trainableLength, totalLength), sliceBytes(out, this.#bytesFor(trainableLength), out.length));
    kernels.release(residual);
    this.#held.set(index, { nextStep: step + 1, residual: sum, state });
    return { bytes: out.data, wire: plan.wire, release: () => kernels.releaseBytes(out) };
  }

  /** Null where a window begins. */
  #heldBefore(step: number, index: number): Held | null {
    if (beginsWindow(this.#options.plan, step)) return null;
    const held = this.#held.get(index);
    if (held?.nextStep === step) return held;
    throw new LockstepError('protocol', `step ${step} of group ${index} needs what it held back at step ${step - 1}, which this worker did not compute`);
  }

  /** Memory for what a group holds back, and a compressor's state as every window begins with it. */
  #begin(index: number): Pick<Held, 'residual' | 'state'> {
    const { layout: { trainableLength, totalLength }, kernels } = this.#options;
    const memory = this.#held.get(index) ?? { residual: kernels.allocate(totalLength), state: kernels.allocate(this.#compressor.stateLength(trainableLength)) };
    this.#compressor.resetState(memory.state);
    return memory;
  }
}
