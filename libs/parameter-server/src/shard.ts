import { LockstepError, type ClippingConfig, type OptimizerConfig } from '@lockstep/core';
import {
  addTallies, createKernels, createOptimizer, isTreeNode, learningRateAt, TreeReduction,
  type Kernels, type Optimizer, type Tally, type Vector,
} from '@lockstep/reduction';
import type { PartialHeader, ShardPort } from '@lockstep/transport';
import type { ShardRange } from './shard-range.ts';

/** What a shard must know of the run. */
export interface ShardPlan {
  readonly range: ShardRange;
  /** Elements of the whole vector that are optimized; the rest are buffers. */
  readonly trainableLength: number;
  readonly microBatches: number;
  readonly totalSteps: number;
  readonly optimizer: OptimizerConfig;
  readonly clipping: ClippingConfig;
}

/** One worker's part of a finished step. */
export interface WorkerShare {
  readonly rank: number;
  readonly microBatches: number;
  readonly computeMs: number;
}

export interface FinishedStep {
  readonly step: number;
  readonly tally: Tally;
  readonly learningRate: number;
  readonly workers: readonly WorkerShare[];
}

export interface ShardEvents {
  /** The parameters have a new version; `finished` is null for version 0. */
  versionReady(version: number, parameters: Float32Array, finished: FinishedStep | null): void;
  /** The step waits for `clip`: the norm needs the blocks of all shards. */
  normsReady(step: number, blockSums: Float64Array): void;
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
  /** Elements of this range that are optimized; buffers follow. */
  readonly #trainable: number;
  readonly #reduction: TreeReduction<GradientSum>;
  /** Slices that arrive piece by piece, by the memory that was given out for them. */
  readonly #arriving = new Map<Float32Array, Vector>();
  #shares = new Map<number, WorkerShare>();
  #version = -1;

  constructor(plan: ShardPlan, events: ShardEvents) {
    this.#plan = plan;
    this.#events = events;
    this.length = plan.range.to - plan.range.from;
    this.#trainable = Math.max(0, Math.min(plan.range.to, plan.trainableLength) - plan.range.from);
    this.#parameters = this.#kernels.allocateZeros(this.length);
    this.#optimizer = createOptimizer(plan.optimizer, this.#kernels, this.#trainable);
    this.#reduction = new TreeReduction<GradientSum>(plan.microBatches, {
      merge: (left, right) => this.#merge(left, right),
      release: ({ vector }) => this.#kernels.release(vector),
    });
  }

  reserveInitial(): Float32Array | null {
    return this.#version === -1 ? this.#lend() : null;
  }

  /** The first of several that arrive at once counts. */
  commitInitial(destination: Float32Array): void {
    const initial = this.#take(destination);
    if (this.#version === -1) this.#kernels.copy(this.#parameters, initial);
    this.#kernels.release(initial);
    if (this.#version !== -1) return;
    this.#version = 0;
    this.#events.versionReady(0, this.#parameters.data, null);
  }

  reserve(rank: number, { step, node }: PartialHeader): Float32Array | null {
    if (!isTreeNode(node, this.#plan.microBatches)) {
      throw new LockstepError('protocol', `worker ${rank} sent node (${node.level}, ${node.index}) of a tree over ${this.#plan.microBatches} micro-batches`);
    }
    if (step > this.#version) throw new LockstepError('protocol', `worker ${rank} sent step ${step}, the parameters have version ${this.#version}`);
    if (step < this.#version || this.#reduction.covers(node)) return null;
    return this.#lend();
  }

  commit(rank: number, header: PartialHeader, destination: Float32Array): void {
    const vector = this.#take(destination);
    if (header.step !== this.#version || this.#reduction.covers(header.node)) {
      this.#kernels.release(vector);
      return;
    }
    this.#noteShare(rank, header);
    this.#reduction.add(header.node, { vector, tally: header.tally });
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
    this.#update(root);
  }

  /** The micro-batches that the current step still lacks. */
  missing(): readonly number[] {
    return this.#reduction.missing();
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
    this.#kernels.divide(root.vector, root.tally.numExamples);
    const gradient = this.#trainablePart(root.vector);
    const { value, globalNorm } = this.#plan.clipping;
    if (value !== null) this.#kernels.clipByValue(gradient, value);
    if (globalNorm === null) this.#update(root);
    else this.#events.normsReady(this.#version, this.#kernels.sumsOfSquares(gradient));
  }

  #update(root: GradientSum): void {
    const step = this.#version;
    const learningRate = learningRateAt(this.#plan.optimizer.learningRate, step, this.#plan.totalSteps);
    this.#optimizer.step(this.#trainablePart(this.#parameters), this.#trainablePart(root.vector), learningRate, step + 1);
    this.#kernels.add(this.#bufferPart(this.#parameters), this.#bufferPart(root.vector));
    const finished: FinishedStep = { step, tally: root.tally, learningRate, workers: [...this.#shares.values()] };
    this.#reduction.clear();
    this.#shares = new Map();
    this.#version = step + 1;
    this.#events.versionReady(this.#version, this.#parameters.data, finished);
  }

  #trainablePart(vector: Vector): Vector {
    return this.#kernels.slice(vector, 0, this.#trainable);
  }

  #bufferPart(vector: Vector): Vector {
    return this.#kernels.slice(vector, this.#trainable, this.length);
  }

  #noteShare(rank: number, { node, computeMs }: PartialHeader): void {
    const share = this.#shares.get(rank) ?? { rank, microBatches: 0, computeMs: 0 };
    this.#shares.set(rank, { rank, microBatches: share.microBatches + 2 ** node.level, computeMs: share.computeMs + computeMs });
  }
}
