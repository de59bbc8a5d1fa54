import { z } from 'zod';

/**
 * What a gradient's numbers become on their way to the shards: themselves, bfloat16 (half the bytes), or 8-bit integers
 * with a scale for 32 of them (a little over a quarter). Every node's sum is rounded so, wherever it is added: another
 * choice is another result, but any of them is the same for any number of workers.
 */
export const roundedWireSchema = z.enum(['float32', 'bf16', 'int8']);

export const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));

const feedback = {
  /** How many parts of the global batch are compressed each by itself, a power of two: at most so many workers have work; null: `microBatches`, or 8 where that is less. */
  groups: z.int().min(1).max(65_536).refine(isPowerOfTwo, 'a power of two').nullable().default(null),
  /** Every so many steps, and at each epoch's end, gradients travel whole, with all that was held back. */
  denseEvery: z.int().min(2).default(64),
};

/** A part of each group's gradient travels, and what is held back is added to its next one (error feedback). */
export const compressedWireSchema = z.discriminatedUnion('kind', [
  /** The elements of largest magnitude, this share of each 4,096. */
  z.strictObject({ kind: z.literal('topK'), ratio: z.number().positive().max(0.5).default(0.01), ...feedback }),
  /** The best approximation of this rank to each 4,096 elements as a matrix of 64 x 64 (Vogels et al. 2019). */
  z.strictObject({ kind: z.literal('powerSgd'), rank: z.int().min(1).max(16).default(2), ...feedback }),
]);

export const wireSchema = z.union([roundedWireSchema, compressedWireSchema]).default('float32');

export type RoundedWire = z.output<typeof roundedWireSchema>;
export type CompressedWire = z.output<typeof compressedWireSchema>;
export type CompressedWireOptions = z.input<typeof compressedWireSchema>;
export type WireConfig = z.output<typeof wireSchema>;

/**
 * What the parameters become on their way back to the workers: themselves, or bfloat16 (half the bytes). The shards keep
 * them exact; what workers compute on is rounded, the same for any number of them.
 */
export const parameterWireSchema = z.enum(['float32', 'bf16']).default('float32');

export type ParameterWireConfig = z.output<typeof parameterWireSchema>;
