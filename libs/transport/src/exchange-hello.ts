import { z } from 'zod';
import { LockstepError, messageOf } from '@lockstep/core';

/**
 * How an Exchange stream opens, in JSON after a `hello` header: the worker names itself, the shard offers its shared
 * directory, the worker proves that it sees it (or not).
 */
export const workerHello = z.strictObject({ rank: z.int().min(0) });
export const shardHello = z.strictObject({ length: z.int().min(0), sharedDirectory: z.string().nullable() });
export const sharingReply = z.strictObject({ proof: z.string().nullable() });

export function encodeHello(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function decodeHello<T>(schema: z.ZodType<T>, payload: Buffer): T {
  try {
    return schema.parse(JSON.parse(payload.toString('utf8')));
  } catch (error) {
    throw new LockstepError('protocol', `malformed hello of an exchange stream: ${messageOf(error)}`, { cause: error });
  }
}
