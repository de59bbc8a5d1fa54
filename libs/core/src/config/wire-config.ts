import { z } from 'zod';

/**
 * What a gradient's numbers become on their way to the shards: themselves, bfloat16 (half the bytes), or 8-bit integers
 * with a scale for 32 of them (a little over a quarter). Every node's sum is rounded so, wherever it is added: another
 * choice is another result, but any of them is the same for any number of workers.
 */
export const wireSchema = z.enum(['float32', 'bf16', 'int8']).default('float32');

export type WireConfig = z.output<typeof wireSchema>;

/**
 * What the parameters become on their way back to the workers: themselves, or bfloat16 (half the bytes). The shards keep
 * them exact; what workers compute on is rounded, the same for any number of them.
 */
export const parameterWireSchema = z.enum(['float32', 'bf16']).default('float32');

export type ParameterWireConfig = z.output<typeof parameterWireSchema>;
