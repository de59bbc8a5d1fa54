import { LockstepError } from '@lockstep/core';
import {
  addTallies, createKernels, createOptimizer, createVectorCodec, isTreeNode, learningRateAt, microBatchesOf, rootOf, TreeReduction,
  type Kernels, type Optimizer, type Tally, type Vector, type VectorCodec, type WireFormat,
} from '@lockstep/reduction';
import type { ArrivedPartial, FinishedStep, PartialHeader, ShardPort, WorkerShare } from '@lockstep/transport';
import { LentMemory } from './lent-memory.ts';
import { partsOfState, stateLength, trainableIn, type ShardPlan } from './shard-plan.ts';
import { ShownParameters } from './shown-parameters.ts';

export interface ShardEvents {
  /** The step waits for `clip`: the norm needs the blocks of all shards. */
  normsReady(step: number, blockSums: Float64Array): void;
  /** The step's mean gradient, clipped and applied; null where the step changes nothing. Valid during the call. */
  stepReduced(finished: FinishedStep, gradient: Float32Array | null): void;
  /** The parameters have a new version; `finished` is null for the one that the shard began with. */
  versionReady(version: number, finished: FinishedStep | null): void;
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

/** 512 KiB, and whole blocks of any wire format: small enough for a processor's cache, large enough that the calls cost nothing. */
const PIECE_FLOATS = 131_072;

/**
 * A shard: one range of the parameters with its optimizer state. It keys what it receives by step and tree node,
 * ignores what is covered, and when the root is covered makes the next version:
 * merge siblings → divide by the example count → clip → optimizer → version t+1.
 */
export class Shard implements ShardPort {
  readonly length: number;
  readonly partialBytes: number;
  readonly #plan: ShardPlan;
  readonly #events: ShardEvents;
  readonly #kernels: Kernels = createKernels();
  readonly #optimizer: Optimizer;
  readonly #parameters: Vector;
  /** The parameters as workers see them. */
  readonly shown: ShownParameters;
  readonly #trainable: number;
  readonly #reduction: TreeReduction<GradientSum>;
  readonly #format: WireFormat;
  readonly #codec: VectorCodec;
  readonly #digests: Uint32Array;
  /** Where what arrives is put. */
  readonly #memory: LentMemory;
  #shares = new Map<number, WorkerShare>();
  #version = -1;

  constructor(plan: ShardPlan, events: ShardEvents) {
    this.#plan = plan;
    this.#events = events;
    this.length = plan.range.to - plan.range.from;
    this.#trainable = trainableIn(plan);
    this.#parameters = this.#kernels.allocateZeros(this.length);
    this.shown = new ShownParameters(plan, this.#kernels, this.#parameters);
    this.#optimizer = createOptimizer(plan.optimizer, this.#kernels, this.#trainable);
    this.#format = this.#kernels.wireFormats[plan.wire];
    this.#codec = createVectorCodec(this.#kernels, this.#format, this.#trainable);
    this.partialBytes = this.#codec.bytesFor(this.length);
    this.#memory = new LentMemory(this.#kernels, this.#format, this.#codec, this.length);
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

  reserveInitial(): Uint8Array | null {
    return this.#version === -1 ? this.#memory.lendFloats() : null;
  }

  /** The first of several that arrive at once counts. */
  commitInitial(destination: Uint8Array): void {
    const initial = this.#memory.take(destination);
    if (this.#version === -1) this.#kernels.copy(this.#parameters, initial);
    this.#kernels.release(initial);
    if (this.#version === -1) this.#begin(0);
  }

  reserve(rank: number, header: PartialHeader): Uint8Array | null {
    const { step, node, tally } = header;
    if (!isTreeNode(node, this.#plan.microBatches)) {
      throw new LockstepError('protocol', `worker ${rank} sent node (${node.level}, ${node.index}) of a tree over ${this.#plan.microBatches} micro-batches`);
    }
    if (step > this.#version) throw new LockstepError('protocol', `worker ${rank} sent step ${step}, the parameters have version ${this.#version}`);
    if (tally.numNonFinite > 0 && this.#plan.onNonFinite === 'stop') {
      throw new LockstepError('protocol', `worker ${rank} sent ${tally.numNonFinite} micro-batches that are no number, at which this run stops`);
    }
    return step < this.#version || this.#reduction.covers(node) ? null : this.#memory.lendEncoded();
  }

  /** @throws LockstepError where bytes that came over the wire are no numbers. */
  commit(rank: number, partial: ArrivedPartial, destination: Uint8Array): void {
    if (partial.step !== this.#version || this.#reduction.covers(partial.node)) return this.#memory.giveBack(destination);
    const vector = this.#memory.take(destination);
    if (partial.carrier === 'inline') this.#requireFinite(rank, partial, vector);
    this.#noteShare(rank, partial);
    this.#digests.set(partial.digests, microBatchesOf(partial.node).from);
    const sum = { vector, tally: partial.tally };
    const others = this.#reduction.restOfRoot(partial.node);
    if (others === null) this.#reduction.add(partial.node, sum);
    else this.#complete(sum, others);
  }

  abandonInitial(destination: Uint8Array): void {
    this.#memory.giveBack(destination);
  }

  abandon(_rank: number, _header: PartialHeader, destination: Uint8Array): void {
    this.#memory.giveBack(destination);
  }

  /** Multiplies the gradient of the step that waits by the factor that brings the whole norm to its limit. */
  clip(factor: number): void {
    const root = this.#reduction.root;
    if (root === undefined) throw new Error('no step waits for its norm');
    const finished = this.#finishedStep(root.tally);
    this.#inPieces((from, to) => {
      this.#kernels.scale(this.#trainablePart(root.vector, from, to), factor);
      this.#apply(finished, root.vector, from, to);
    });
    this.#finish(finished, root.vector);
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
  reserveGradient(): Uint8Array {
    return this.#memory.lendFloats();
  }

  /** Makes the next version as the primary does, from the gradient that it reduced. */
  applyGradient(finished: FinishedStep, destination: Uint8Array | null): void {
    const gradient = destination === null ? null : this.#memory.take(destination);
    if (gradient !== null) {
      this.#inPieces((from, to) => this.#apply(finished, gradient, from, to));
      this.#kernels.release(gradient);
    }
    this.#advance(finished);
  }

  #begin(version: number): void {
    this.#version = version;
    this.#events.versionReady(version, null);
  }

  #merge(left: GradientSum, right: GradientSum): GradientSum {
    this.#codec.merge(left.vector, right.vector);
    this.#kernels.release(right.vector);
    return { vector: left.vector, tally: addTallies(left.tally, right.tally) };
  }

  /**
   * The last partial of a step has come: sum → mean → clip → optimizer, piece by piece, so that the bytes of a piece stay
   * in the processor's cache from the one to the other. Of two operands the order does not matter to their sum.
   */
  #complete({ vector, tally }: GradientSum, others: readonly GradientSum[]): void {
    const root: GradientSum = { vector, tally: others.reduce((sum, other) => addTallies(sum, other.tally), tally) };
    const finished = this.#finishedStep(root.tally);
    const { value, globalNorm } = this.#plan.clipping;
    const isNothing = changesNothing(root.tally);
    if (!isNothing) this.#inPieces((from, to) => {
      const piece = this.#kernels.slice(vector, from, to);
      for (const other of others) {
        this.#format.merge(this.#trainablePart(vector, from, to), this.#trainablePart(other.vector, from, to));
        this.#kernels.add(this.#bufferPart(vector, from, to), this.#bufferPart(other.vector, from, to));
      }
      this.#kernels.divide(piece, root.tally.numExamples);
      if (value !== null) this.#kernels.clipByValue(this.#trainablePart(vector, from, to), value);
      if (globalNorm === null) this.#apply(finished, vector, from, to);
    });
    this.#reduction.add(rootOf(this.#plan.microBatches), root);
    if (isNothing || globalNorm === null) this.#finish(finished, isNothing ? null : vector);
    else this.#events.normsReady(this.#version, this.#kernels.sumsOfSquares(this.#trainablePart(vector)));
  }

  /** The step's gradient, or null where it changes nothing, is applied. */
  #finish(finished: FinishedStep, gradient: Vector | null): void {
    this.#events.stepReduced(finished, gradient?.data ?? null);
    this.#reduction.clear();
    this.#shares = new Map();
    this.#advance(finished);
  }

  /** Makes the elements `from` up to `to` of the next version. */
  #apply({ step, learningRate }: FinishedStep, gradient: Vector, from: number, to: number): void {
    this.#optimizer.step(this.#trainablePart(this.#parameters, from, to), this.#trainablePart(gradient, from, to), learningRate, step + 1, Math.min(from, this.#trainable));
    this.#kernels.add(this.#bufferPart(this.#parameters, from, to), this.#bufferPart(gradient, from, to));
  }

  #inPieces(work: (from: number, to: number) => void): void {
    for (let from = 0; from < this.length; from += PIECE_FLOATS) work(from, Math.min(this.length, from + PIECE_FLOATS));
  }

  #advance(finished: FinishedStep): void {
    this.#version = finished.step + 1;
    this.#events.versionReady(this.#version, finished);
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

  #trainablePart(vector: Vector, from = 0, to = this.length): Vector {
    return this.#kernels.slice(vector, Math.min(from, this.#trainable), Math.min(to, this.#trainable));
  }

  #bufferPart(vector: Vector, from: number, to: number): Vector {
    return this.#kernels.slice(vector, Math.max(from, this.#trainable), Math.max(to, this.#trainable));
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
