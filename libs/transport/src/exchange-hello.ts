import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { LockstepError, messageOf } from '@lockstep/core';
import type { FrameKind } from './tensor-frame.ts';

/**
 * How a tensor stream opens, in JSON after a `hello` header: the client names itself and presents the run's token,
 * the shard answers; a worker is offered the shard's shared directory, which it proves that it sees (or not).
 */
const workerHello = z.strictObject({
  /** A relay pushes what it has added up of several workers, and shows them the versions. */
  role: z.enum(['worker', 'relay']),
  token: z.string(),
  /** Of the worker; of a relay, the worker in whose process it is. */
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
/** `merges`: a relay answers, which wants to know what its workers are about to compute. */
export const shardHello = z.strictObject({ length: z.int().min(0), sharedDirectory: z.string().nullable(), merges: z.boolean() });
export const sharingReply = z.strictObject({ proof: z.string().nullable() });

export type WorkerHello = z.output<typeof workerHello>;
export type PeerHello = z.output<typeof peerHello>;
export type ClientHello = z.output<typeof clientHello>;

/** What a worker tells a relay: it computes these nodes of the step now, and will push each. */
export const announcedNodes = z.strictObject({ step: z.int().min(0), nodes: z.array(z.strictObject({ level: z.int().min(0), index: z.int().min(0) })) });
/** What a relay tells a shard before each partial: whose work is in it. */
export const partialShares = z.array(z.strictObject({ rank: z.int().min(0), microBatches: z.int().min(1), computeMs: z.number().min(0) }));

export function encodeJson(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function decodeJson<T>(kind: FrameKind, schema: z.ZodType<T>, payload: Buffer): T {
  try {
    return schema.parse(JSON.parse(payload.toString('utf8')));
  } catch (error) {
    throw new LockstepError('protocol', `malformed ${kind} of an exchange stream: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws LockstepError where the token is not the run's. Takes as long for any wrong one. */
export function checkToken(presented: string, expected: string): void {
  const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();
  if (!timingSafeEqual(digestOf(presented), digestOf(expected))) throw new LockstepError('protocol', 'the stream does not present the token of this run');
}
