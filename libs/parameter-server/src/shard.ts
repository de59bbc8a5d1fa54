import { LockstepError } from '@lockstep/core';
import {
  addTallies, createKernels, createOptimizer, isTreeNode, learningRateAt, microBatchesOf, TreeReduction,
  type Kernels, type Optimizer, type Tally, type Vector,
} from '@lockstep/reduction';
import type { ArrivedPartial, FinishedStep, PartialHeader, ShardPort, WorkerShare } from '@lockstep/transport';
import { partsOfState, stateLength, trainableIn, type ShardPlan } from './shard-plan.ts';

export interface ShardEvents {
  /** The step waits for `clip`: the norm needs the blocks of all shards. */
  normsReady(step: number, blockSums: Float64Array): void;
  /** The step's mean gradient, clipped, before it is applied; null where the step changes nothing. Valid during the call. */
  stepReduced(finished: FinishedStep, gradient: Float32Array | null): void;
  /** The parameters have a new version; `finished` is null for the one that the shard began with. */
  versionReady(version: number, parameters: Float32Array, finished: FinishedStep | null): void;
}

/** What the current step still lacks; version -1 lacks the initial parameters. */
export interface Coverage {
  readonly version: number;
  readonly missing: readonly number[];
}

interface GradientSum {
  readonly vector: Vector;
  readonly tally: Tally;
}

/**
 * A shard: one range of the parameters with its optimizer state. It keys what it receives by step and tree node,
 * ignores what is covered, and when the root is covered makes the next version:
 * merge siblings → divide by the example count → clip → optimizer → version t+1.
 */
export class Shard implements ShardPort {
  readonly length: number;
  readonly #plan: ShardPlan;
  readonly #events: ShardEvents;
  readonly #kernels: Kernels = createKernels();
  readonly #optimizer: Optimizer;
  readonly #parameters: Vector;
  readonly #trainable: number;
  readonly #reduction: TreeReduction<GradientSum>;
  readonly #digests: Uint32Array;
  /** Slices that arrive piece by piece, by the memory that was given out for them. */
  readonly #arriving = new Map<Float32Array, Vector>();
  #shares = new Map<number, WorkerShare>();
  #version = -1;

  constructor(plan: ShardPlan, events: ShardEvents) {
    this.#plan = plan;
    this.#events = events;
    this.length = plan.range.to - plan.range.from;
    this.#trainable = trainableIn(plan);
    this.#parameters = this.#kernels.allocateZeros(this.length);
    this.#optimizer = createOptimizer(plan.optimizer, this.#kernels, this.#trainable);
    this.#digests = new Uint32Array(plan.microBatches);
    this.#reduction = new TreeReduction<GradientSum>(plan.microBatches, {
      merge: (left, right) => this.#merge(left, right),
      release: ({ vector }) => this.#kernels.release(vector),
    });
  }

  get version(): number {
    return this.#version;
  }

  get needsInitial(): boolean {
    return this.#version === -1;
  }

  reserveInitial(): Float32Array | null {
    return this.#version === -1 ? this.#lend() : null;
  }

  /** The first of several that arrive at once counts. */
  commitInitial(destination: Float32Array): void {
    const initial = this.#take(destination);
    if (this.#version === -1) this.#kernels.copy(this.#parameters, initial);
    this.#kernels.release(initial);
    if (this.#version === -1) this.#begin(0);
  }

  reserve(rank: number, header: PartialHeader): Float32Array | null {
    const { step, node, tally } = header;
    if (!isTreeNode(node, this.#plan.microBatches)) {
      throw new LockstepError('protocol', `worker ${rank} sent node (${node.level}, ${node.index}) of a tree over ${this.#plan.microBatches} micro-batches`);
    }
    if (step > this.#version) throw new LockstepError('protocol', `worker ${rank} sent step ${step}, the parameters have version ${this.#version}`);
    if (tally.numNonFinite > 0 && this.#plan.onNonFinite === 'stop') {
      throw new LockstepError('protocol', `worker ${rank} sent ${tally.numNonFinite} micro-batches that are no number, at which this run stops`);
    }
    return step < this.#version || this.#reduction.covers(node) ? null : this.#lend();
  }

  /** @throws LockstepError where bytes that came over the wire are no numbers. */
  commit(rank: number, partial: ArrivedPartial, destination: Float32Array): void {
    const vector = this.#take(destination);
    if (partial.step !== this.#version || this.#reduction.covers(partial.node)) {
      this.#kernels.release(vector);
      return;
    }
    if (partial.carrier === 'inline') this.#requireFinite(rank, partial, vector);
    this.#noteShare(rank, partial);
    this.#digests.set(partial.digests, microBatchesOf(partial.node).from);
    this.#reduction.add(partial.node, { vector, tally: partial.tally });
    const root = this.#reduction.root;
    if (root !== undefined) this.#average(root);
  }

  abandonInitial(destination: Float32Array): void {
    this.#kernels.release(this.#take(destination));
  }

  abandon(_rank: number, _header: PartialHeader, destination: Float32Array): void {
    this.#kernels.release(this.#take(destination));
  }

  /** Multiplies the gradient of the step that waits by the factor that brings the whole norm to its limit. */
  clip(factor: number): void {
    const root = this.#reduction.root;
    if (root === undefined) throw new Error('no step waits for its norm');
    this.#kernels.scale(this.#trainablePart(root.vector), factor);
    this.#update(root, this.#finishedStep(root.tally));
  }

  coverage(): Coverage {
    return { version: this.#version, missing: this.#version === -1 ? [] : this.#reduction.missing() };
  }

  /** A copy of the parameters, then of each optimizer slot. */
  copyState(): Float32Array<ArrayBuffer> {
    const state = new Float32Array(stateLength(this.#plan));
    const { parameters, slots } = partsOfState(this.#plan, state);
    parameters.set(this.#parameters.data);
    slots.forEach(({ data }, slot) => data.set(this.#optimizer.slots[slot]?.vector.data ?? []));
    return state;
  }

  /** Goes on from a state as `copyState` gave it; whatever was under way is dropped. */
  restore(version: number, state: Float32Array): void {
    const { parameters, slots } = partsOfState(this.#plan, state);
    this.#parameters.data.set(parameters);
    slots.forEach(({ data }, slot) => this.#optimizer.slots[slot]?.vector.data.set(data));
    this.#reduction.clear();
    this.#shares = new Map();
    this.#begin(version);
  }

  /** Where a replica puts a gradient that its primary has reduced; for `applyGradient` or `abandonInitial`. */
  reserveGradient(): Float32Array {
    return this.#lend();
  }

  /** Makes the next version as the primary does, from the gradient that it reduced. */
  applyGradient(finished: FinishedStep, destination: Float32Array | null): void {
    const gradient = destination === null ? null : this.#take(destination);
    this.#apply(finished, gradient);
    if (gradient !== null) this.#kernels.release(gradient);
    this.#advance(finished);
  }

  #begin(version: number): void {
    this.#version = version;
    this.#events.versionReady(version, this.#parameters.data, null);
  }

  #lend(): Float32Array {
    const vector = this.#kernels.allocate(this.length);
    this.#arriving.set(vector.data, vector);
    return vector.data;
  }

  #take(destination: Float32Array): Vector {
    const vector = this.#arriving.get(destination);
    if (vector === undefined) throw new Error('not a destination that this shard gave out');
    this.#arriving.delete(destination);
    return vector;
  }

  #merge(left: GradientSum, right: GradientSum): GradientSum {
    this.#kernels.add(left.vector, right.vector);
    this.#kernels.release(right.vector);
    return { vector: left.vector, tally: addTallies(left.tally, right.tally) };
  }

  #average(root: GradientSum): void {
    if (changesNothing(root.tally)) return this.#update(root, this.#finishedStep(root.tally));
    this.#kernels.divide(root.vector, root.tally.numExamples);
    const gradient = this.#trainablePart(root.vector);
    const { value, globalNorm } = this.#plan.clipping;
    if (value !== null) this.#kernels.clipByValue(gradient, value);
    if (globalNorm === null) this.#update(root, this.#finishedStep(root.tally));
    else this.#events.normsReady(this.#version, this.#kernels.sumsOfSquares(gradient));
  }

  #update(root: GradientSum, finished: FinishedStep): void {
    const gradient = changesNothing(finished) ? null : root.vector;
    this.#events.stepReduced(finished, gradient?.data ?? null);
    this.#apply(finished, gradient);
    this.#reduction.clear();
    this.#shares = new Map();
    this.#advance(finished);
  }

  #apply({ step, learningRate }: FinishedStep, gradient: Vector | null): void {
    if (gradient === null) return;
    this.#optimizer.step(this.#trainablePart(this.#parameters), this.#trainablePart(gradient), learningRate, step + 1);
    this.#kernels.add(this.#bufferPart(this.#parameters), this.#bufferPart(gradient));
  }

  #advance(finished: FinishedStep): void {
    this.#version = finished.step + 1;
    this.#events.versionReady(this.#version, this.#parameters.data, finished);
  }

  #finishedStep(tally: Tally): FinishedStep {
    return {
      ...tally,
      step: this.#version,
      learningRate: learningRateAt(this.#plan.optimizer.learningRate, this.#version, this.#plan.totalSteps),
      workers: [...this.#shares.values()],
      digests: [...this.#digests],
      atMs: performance.timeOrigin + performance.now(),
    };
  }

  #trainablePart(vector: Vector): Vector {
    return this.#kernels.slice(vector, 0, this.#trainable);
  }

  #bufferPart(vector: Vector): Vector {
    return this.#kernels.slice(vector, this.#trainable, this.length);
  }

  #requireFinite(rank: number, { step, node }: PartialHeader, vector: Vector): void {
    const element = this.#kernels.scan(vector).firstNonFinite;
    if (element === -1) return;
    this.#kernels.release(vector);
    throw new LockstepError('protocol', `worker ${rank} sent what is no number at element ${element} of step ${step}, node (${node.level}, ${node.index})`);
  }

  #noteShare(rank: number, { node, computeMs }: PartialHeader): void {
    const share = this.#shares.get(rank) ?? { rank, microBatches: 0, computeMs: 0 };
    this.#shares.set(rank, { rank, microBatches: share.microBatches + 2 ** node.level, computeMs: share.computeMs + computeMs });
  }
}

/** A bad micro-batch spoils its step; and there is no mean over no examples. */
function changesNothing({ numNonFinite, numExamples }: Pick<FinishedStep, 'numNonFinite' | 'numExamples'>): boolean {
  return numNonFinite > 0 || numExamples === 0;
}
