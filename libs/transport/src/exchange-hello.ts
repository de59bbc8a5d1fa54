import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { LockstepError, messageOf } from '@lockstep/core';

/**
 * How a tensor stream opens, in JSON after a `hello` header: the client names itself and presents the run's token,
 * the shard answers; a worker is offered the shard's shared directory, which it proves that it sees (or not).
 */
const workerHello = z.strictObject({
  role: z.literal('worker'),
  token: z.string(),
  rank: z.int().min(0),
  /** Random; names the files of this connection alone. */
  connection: z.string().regex(/^[0-9a-f]{32}$/),
});

/** Another shard, with its sums of squares; or the primary of a replica, with everything. */
const peerHello = z.strictObject({
  role: z.enum(['norms', 'primary']),
  token: z.string(),
  generation: z.int().min(0),
  shard: z.int().min(0),
});

export const clientHello = z.discriminatedUnion('role', [workerHello, peerHello]);
export const shardHello = z.strictObject({ length: z.int().min(0), sharedDirectory: z.string().nullable() });
export const sharingReply = z.strictObject({ proof: z.string().nullable() });

export type WorkerHello = z.output<typeof workerHello>;
export type PeerHello = z.output<typeof peerHello>;
export type ClientHello = z.output<typeof clientHello>;

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

/** @throws LockstepError where the token is not the run's. Takes as long for any wrong one. */
export function checkToken(presented: string, expected: string): void {
  const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();
  if (!timingSafeEqual(digestOf(presented), digestOf(expected))) throw new LockstepError('protocol', 'the stream does not present the token of this run');
}
