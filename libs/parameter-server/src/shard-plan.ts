import { clippingSchema, optimizerSchema, parameterWireSchema, wireSchema, type OptimizerConfig } from '@lockstep/core';
import { createKernels, createOptimizer } from '@lockstep/reduction';
import { z } from 'zod';

const count = z.int().min(0);

/** What a shard must know of the run. */
export const shardPlanSchema = z.strictObject({
  /** The shard's part of the flat vector, in float32 elements. */
  range: z.strictObject({ from: count, to: count }).refine(({ from, to }) => from <= to, 'from at most to').readonly(),
  /** Elements of the whole vector that are optimized; the rest are buffers. */
  trainableLength: count,
  /** Elements of the whole vector. */
  totalLength: count,
  microBatches: z.int().min(1).max(65_536),
  totalSteps: count,
  stepsPerEpoch: z.int().min(1),
  // The config's schemas default and transform; a plan carries their output, which they take as it is.
  optimizer: optimizerSchema,
  clipping: clippingSchema,
  /** Stretches of the whole vector with another learning rate, in order. */
  rates: z.array(z.strictObject({ from: count, to: count, factor: z.number().min(0) })).readonly(),
  wire: wireSchema,
  parameterWire: parameterWireSchema,
  /** The shard's number among `shards`, in range order. */
  shard: count,
  shards: z.int().min(1),
  /** Copies of the state are made of versions that are a multiple of one of these, and of the last; none is left out. */
  snapshotEvery: z.array(z.int().min(1)).readonly(),
  /** And of every multiple of this, for checkpoints alone: an old one makes way for a newer where nobody takes them. */
  checkpointEvery: z.int().min(1).nullable(),
  onNonFinite: z.enum(['stop', 'skip']),
}).readonly();

export type ShardPlan = z.output<typeof shardPlanSchema>;

/** Whether a copy of this version must be made and kept until it is taken. Version 0 needs none: the seed gives it. */
export function wantsSnapshot({ snapshotEvery, totalSteps }: Pick<ShardPlan, 'snapshotEvery' | 'totalSteps'>, version: number): boolean {
  return version > 0 && (version === totalSteps || snapshotEvery.some((every) => version % every === 0));
}

/** Elements of the shard's range that are optimized; buffers follow. */
export function trainableIn({ range, trainableLength }: Pick<ShardPlan, 'range' | 'trainableLength'>): number {
  return Math.max(0, Math.min(range.to, trainableLength) - range.from);
}

/** The optimizer's slots, named as in `torch.optim`'s state, in the order of the state block. */
export function slotNames(optimizer: OptimizerConfig): string[] {
  return createOptimizer(optimizer, createKernels({ maximumBytes: 65_536 }), 0).slots.map(({ name }) => name);
}

/** Elements of the shard's whole state: its range's parameters, then each optimizer slot of what is trained in it. */
export function stateLength(plan: Pick<ShardPlan, 'range' | 'trainableLength' | 'optimizer'>): number {
  return plan.range.to - plan.range.from + slotNames(plan.optimizer).length * trainableIn(plan);
}

export interface ShardState {
  /** The range's parameters. */
  readonly parameters: Float32Array;
  readonly slots: readonly { readonly name: string; readonly data: Float32Array }[];
}

/** The parts of a state block, as views. */
export function partsOfState(plan: Pick<ShardPlan, 'range' | 'trainableLength' | 'optimizer'>, state: Float32Array): ShardState {
  const [length, trainable] = [plan.range.to - plan.range.from, trainableIn(plan)];
  const slotAt = (slot: number): Float32Array => state.subarray(length + slot * trainable, length + (slot + 1) * trainable);
  return { parameters: state.subarray(0, length), slots: slotNames(plan.optimizer).map((name, slot) => ({ name, data: slotAt(slot) })) };
}
