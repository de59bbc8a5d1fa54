import { bytesOf, LockstepError } from '@lockstep/core';
import { createKernels, createOptimizer, encodedBytes, isTreeNode, learningRateAt, microBatchesOf, wireOfStep, type Kernels, type Optimizer, type Tally, type Vector } from '@lockstep/reduction';
import type { ArrivedPartial, FinishedStep, PartialHeader, PartialIntake, ShardPort, WorkerShare } from '@lockstep/transport';
import { PieceIntake } from './piece-intake.ts';
import { rateStretches } from './rate-stretches.ts';
import { PIECE_FLOATS, ShardPiece, type GradientSum, type LentPiece } from './shard-piece.ts';
import { partsOfState, stateLength, trainableIn, type ShardPlan } from './shard-plan.ts';
import { ShownParameters } from './shown-parameters.ts';

export interface ShardEvents {
  /** The step waits for `clip`: the norm needs the blocks of all shards. */
  normsReady(step: number, blockSums: Float64Array): void;
  /** Whether the gradient of the step that is being made must be kept for `stepReduced`. */
  wantsGradient(): boolean;
  /** The step's mean gradient, clipped and applied, in pieces one after another; null where the step changes nothing or nobody wants it. Valid during the call. */
  stepReduced(finished: FinishedStep, gradient: readonly Float32Array[] | null): void;
  /** Workers may be shown the first `numBytes` bytes of a version; the rest of it is still to be made. */
  pieceMade(version: number, numBytes: number): void;
  /** The parameters have a new version; `finished` is null for the one that the shard began with. */
  versionReady(version: number, finished: FinishedStep | null): void;
}

/** What the current step still lacks; version -1 lacks the initial parameters. */
export interface Coverage {
  readonly version: number;
  readonly missing: readonly number[];
}

/**
 * A shard: one range of the parameters with its optimizer state. It keys what it receives by step and tree node,
 * ignores what is covered, and when the root is covered makes the next version:
 * merge siblings → divide by the example count → clip → optimizer → version t+1.
 * It does so piece by piece, in order, as partials arrive.
 */
export class Shard implements ShardPort {
  readonly announcements = null;
  readonly length: number;
  readonly #plan: ShardPlan;
  readonly #events: ShardEvents;
  readonly #kernels: Kernels = createKernels();
  readonly #optimizer: Optimizer;
  readonly #parameters: Vector;
  /** The parameters as workers see them. */
  readonly shown: ShownParameters;
  readonly #trainable: number;
  readonly #pieces: readonly ShardPiece[];
  /** Of a partial that does not travel whole. */
  readonly #encodedBytes: number;
  readonly #digests: Uint32Array;
  /** Whole vectors that were given out to be filled. */
  readonly #lent = new Map<Uint8Array, Vector>();
  /** Of the current step: how many pieces are reduced. */
  #numReduced = 0;
  /** Some pieces are of the next version already. */
  #isMaking = false;
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
    this.#pieces = cutIntoPieces(plan, this.#kernels);
    this.#encodedBytes = encodedBytes(plan.wire, this.#trainable)(this.length);
    this.#digests = new Uint32Array(plan.microBatches);
  }

  get version(): number {
    return this.#version;
  }

  /** Whether all parameters are of the same version. */
  get isWhole(): boolean {
    return !this.#isMaking;
  }

  get needsInitial(): boolean {
    return this.#version === -1;
  }

  reserveInitial(): Uint8Array | null {
    return this.#version === -1 ? this.#lend() : null;
  }

  /** The first of several that arrive at once counts. */
  commitInitial(destination: Uint8Array): void {
    const initial = this.#take(destination);
    if (this.#version === -1) this.#begin(0, () => this.#kernels.copy(this.#parameters, initial));
    this.#kernels.release(initial);
  }

  partialBytes(step: number): number {
    return this.#travelsWhole(step) ? this.length * 4 : this.#encodedBytes;
  }

  receive(rank: number, partial: ArrivedPartial): PartialIntake | null {
    this.#check(rank, partial);
    const wants = (piece: ShardPiece): boolean => partial.step === this.#version && !piece.covers(partial.node);
    if (!this.#pieces.some(wants)) return null;
    return new PieceIntake(this.#pieces, this.#travelsWhole(partial.step), { wants, take: (piece, lent) => (wants(piece) ? this.#add(rank, partial, piece, lent) : piece.giveBack(lent)) });
  }

  abandonInitial(destination: Uint8Array): void {
    this.#kernels.release(this.#take(destination));
  }

  /** Multiplies the gradient of the step that waits by the factor that brings the whole norm to its limit. */
  clip(factor: number): void {
    const finished = this.#finishedStep(this.#tally);
    for (const piece of this.#pieces) {
      const gradient = this.#gradientOf(piece);
      this.#kernels.scale(this.#kernels.slice(gradient, 0, piece.trainable), factor);
      this.#apply(finished, piece, gradient);
    }
    this.#finish(finished);
  }

  coverage(): Coverage {
    // Pieces are covered in order: the last one lacks what any does.
    return { version: this.#version, missing: this.#version === -1 ? [] : this.#pieces.at(-1)?.missing() ?? [] };
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
    slots.forEach(({ data }, slot) => this.#optimizer.slots[slot]?.vector.data.set(data));
    this.#clear();
    this.#begin(version, () => this.#parameters.data.set(parameters));
  }

  /** Where a replica puts a gradient that its primary has reduced; for `applyGradient` or `abandonInitial`. */
  reserveGradient(): Uint8Array {
    return this.#lend();
  }

  /** Makes the next version as the primary does, from the gradient that it reduced. */
  applyGradient(finished: FinishedStep, destination: Uint8Array | null): void {
    if (destination !== null) {
      const gradient = this.#take(destination);
      for (const piece of this.#pieces) this.#apply(finished, piece, this.#kernels.slice(gradient, piece.from, piece.to));
      this.#kernels.release(gradient);
    }
    this.#advance(finished);
  }

  #travelsWhole(step: number): boolean {
    return wireOfStep(this.#plan, step) === 'float32';
  }

  #lend(): Uint8Array {
    const vector = this.#kernels.allocate(this.length);
    const destination = bytesOf(vector.data);
    this.#lent.set(destination, vector);
    return destination;
  }

  #take(destination: Uint8Array): Vector {
    const vector = this.#lent.get(destination);
    if (vector === undefined) throw new Error('not a destination that this shard gave out');
    this.#lent.delete(destination);
    return vector;
  }

  #begin(version: number, fill: () => void): void {
    fill();
    this.shown.refresh(0, this.length);
    this.#version = version;
    this.#events.versionReady(version, null);
  }

  #check(rank: number, { step, node, tally }: PartialHeader): void {
    if (!isTreeNode(node, this.#plan.microBatches)) {
      throw new LockstepError('protocol', `worker ${rank} sent node (${node.level}, ${node.index}) of a tree over ${this.#plan.microBatches} micro-batches`);
    }
    if (step > this.#version) throw new LockstepError('protocol', `worker ${rank} sent step ${step}, the parameters have version ${this.#version}`);
    if (tally.numNonFinite > 0 && this.#plan.onNonFinite === 'stop') {
      throw new LockstepError('protocol', `worker ${rank} sent ${tally.numNonFinite} micro-batches that are no number, at which this run stops`);
    }
  }

  /** @throws LockstepError where bytes that came over the wire are no numbers. */
  #add(rank: number, partial: ArrivedPartial, piece: ShardPiece, lent: LentPiece): void {
    const vector = piece.decode(lent);
    if (partial.carrier === 'inline') this.#requireFinite(rank, partial, piece, vector);
    // Once a partial, of whatever pieces come from others.
    if (piece.from === 0) this.#note(partial);
    piece.add(partial.node, { vector, tally: partial.tally });
    if (piece.root !== undefined) this.#reduce(piece, piece.root);
  }

  /** The last partial has come, as far as this piece goes: sum → mean → clip → optimizer. */
  #reduce(piece: ShardPiece, { vector: gradient, tally }: GradientSum): void {
    const { value, globalNorm } = this.#plan.clipping;
    const isNothing = changesNothing(tally);
    if (!isNothing) {
      this.#kernels.divide(gradient, tally.numExamples);
      if (value !== null) this.#kernels.clipByValue(this.#kernels.slice(gradient, 0, piece.trainable), value);
    }
    this.#numReduced += 1;
    if (!isNothing && globalNorm === null) {
      this.#apply({ step: this.#version, learningRate: this.#learningRate }, piece, gradient);
      if (!this.#events.wantsGradient()) piece.dropGradient();
    }
    if (this.#numReduced < this.#pieces.length) return;
    if (isNothing || globalNorm === null) this.#finish(this.#finishedStep(tally));
    else this.#events.normsReady(this.#version, this.#sumsOfSquares());
  }

  /** The step's gradient is applied, where it changes anything. */
  #finish(finished: FinishedStep): void {
    const isWanted = !changesNothing(finished) && this.#events.wantsGradient();
    this.#events.stepReduced(finished, isWanted ? this.#pieces.map((piece) => this.#gradientOf(piece).data) : null);
    this.#clear();
    this.#advance(finished);
  }

  #clear(): void {
    for (const piece of this.#pieces) piece.clear();
    this.#shares = new Map();
    this.#numReduced = 0;
  }

  /** Makes a piece of the next version. */
  #apply({ step, learningRate }: Pick<FinishedStep, 'step' | 'learningRate'>, { from, to, trainable }: ShardPiece, gradient: Vector): void {
    const kernels = this.#kernels;
    const parameters = kernels.slice(this.#parameters, from, to);
    this.#isMaking = true;
    const first = this.#plan.range.from + from;
    for (const stretch of rateStretches(this.#plan.rates, first, first + trainable)) {
      const [start, end] = [stretch.from - first, stretch.to - first];
      this.#optimizer.step(kernels.slice(parameters, start, end), kernels.slice(gradient, start, end), learningRate * stretch.factor, step + 1, from + start);
    }
    kernels.add(kernels.slice(parameters, trainable, to - from), kernels.slice(gradient, trainable, to - from));
    this.#events.pieceMade(step + 1, this.shown.refresh(from, to));
  }

  #advance(finished: FinishedStep): void {
    this.#version = finished.step + 1;
    this.#isMaking = false;
    this.#events.versionReady(this.#version, finished);
  }

  /** Of the current step's root, as every piece of it has it. */
  get #tally(): Tally {
    const tally = this.#pieces[0]?.root?.tally;
    if (tally === undefined) throw new Error('no step is reduced');
    return tally;
  }

  get #learningRate(): number {
    return learningRateAt(this.#plan.optimizer.learningRate, this.#version, this.#plan.totalSteps);
  }

  #gradientOf(piece: ShardPiece): Vector {
    if (piece.root === undefined) throw new Error(`elements ${piece.from} to ${piece.to} are not reduced`);
    return piece.root.vector;
  }

  /** Of each block of the range's gradient. */
  #sumsOfSquares(): Float64Array {
    const sums = this.#pieces.map((piece) => this.#kernels.sumsOfSquares(this.#kernels.slice(this.#gradientOf(piece), 0, piece.trainable)));
    return Float64Array.from(sums.flatMap((blocks) => [...blocks]));
  }

  #finishedStep(tally: Tally): FinishedStep {
    return {
      ...tally,
      step: this.#version,
      learningRate: this.#learningRate,
      workers: [...this.#shares.values()],
      digests: [...this.#digests],
      atMs: performance.timeOrigin + performance.now(),
    };
  }

  #requireFinite(rank: number, { step, node }: PartialHeader, { from }: ShardPiece, vector: Vector): void {
    const element = this.#kernels.scan(vector).firstNonFinite;
    if (element === -1) return;
    this.#kernels.release(vector);
    throw new LockstepError('protocol', `worker ${rank} sent what is no number at element ${from + element} of step ${step}, node (${node.level}, ${node.index})`);
  }

  #note({ node, shares, digests }: ArrivedPartial): void {
    for (const { rank, microBatches, computeMs } of shares) {
      const share = this.#shares.get(rank) ?? { rank, microBatches: 0, computeMs: 0 };
      this.#shares.set(rank, { rank, microBatches: share.microBatches + microBatches, computeMs: share.computeMs + computeMs });
    }
    this.#digests.set(digests, microBatchesOf(node).from);
  }
}

/** Of an empty range there is one, which is empty. */
function cutIntoPieces(plan: ShardPlan, kernels: Kernels): ShardPiece[] {
  const length = plan.range.to - plan.range.from;
  return Array.from({ length: Math.max(1, Math.ceil(length / PIECE_FLOATS)) }, (_, index) => {
    const from = index * PIECE_FLOATS;
    return new ShardPiece(from, Math.min(length, from + PIECE_FLOATS), trainableIn(plan), plan.microBatches, kernels, plan.wire);
  });
}

/** A bad micro-batch spoils its step; and there is no mean over no examples. */
function changesNothing({ numNonFinite, numExamples }: Pick<FinishedStep, 'numNonFinite' | 'numExamples'>): boolean {
  return numNonFinite > 0 || numExamples === 0;
}
