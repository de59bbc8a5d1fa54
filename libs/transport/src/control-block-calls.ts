import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import { LockstepError } from '@lockstep/core';
import { BLOCK_CHUNK_BYTES, PUT_METADATA } from './coordinator-service.ts';
import type { BlockChunk__Output } from './gen/lockstep/v1/BlockChunk.ts';
import type { BlockReference__Output } from './gen/lockstep/v1/BlockReference.ts';
import type { CoordinatorClient } from './gen/lockstep/v1/Coordinator.ts';
import { errorFromStatus } from './grpc-errors.ts';

/** Hashing a piece takes about 2 ms; then others have their turn. */
const HASHED_AT_ONCE_BYTES = 4 * 1024 * 1024;

/** Takes the bytes of a block that begin at an offset; called in order, one after the other. */
export type WriteBlock = (chunk: Uint8Array, offset: number) => unknown;

/** Fetches a block, hands it on as it comes, and checks in the end that it is the one that was asked for. Rejects with the signal's reason. */
export async function fetchBlockInto(client: CoordinatorClient, peer: string, reference: BlockReference__Output, write: WriteBlock, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const hash = createHash('sha256');
  const call = client.fetchBlock({ sha256: reference.sha256 });
  call.on('error', () => undefined);
  const abort = (): void => call.cancel();
  signal.addEventListener('abort', abort, { once: true });
  let received = 0;
  try {
    for await (const { data } of call as AsyncIterable<BlockChunk__Output>) {
      if (received + data.byteLength > reference.numBytes) throw wrongBlock(peer, reference, 'is longer than announced');
      await write(data, received);
      hash.update(data);
      received += data.byteLength;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof LockstepError ? error : errorFromStatus(error, peer);
  } finally {
    signal.removeEventListener('abort', abort);
    call.cancel();
  }
  if (received !== reference.numBytes || hash.digest('hex') !== reference.sha256) throw wrongBlock(peer, reference, 'does not have its SHA-256');
}

/** The same into memory of its own. */
export async function fetchBlock(client: CoordinatorClient, peer: string, reference: BlockReference__Output, signal: AbortSignal): Promise<Buffer> {
  const block = Buffer.allocUnsafeSlow(reference.numBytes);
  await fetchBlockInto(client, peer, reference, (chunk, offset) => block.set(chunk, offset), signal);
  return block;
}

/** Hands the coordinator a block, given in parts. Rejects with the signal's reason, or with what the coordinator says. */
export async function putBlock(client: CoordinatorClient, peer: string, token: string, parts: readonly Uint8Array[], signal: AbortSignal): Promise<BlockReference__Output> {
  const metadata = new Metadata();
  metadata.set(PUT_METADATA.token, token);
  metadata.set(PUT_METADATA.sha256, await hashOfParts(parts));
  metadata.set(PUT_METADATA.numBytes, String(numBytesOf(parts)));
  signal.throwIfAborted();
  const reply = Promise.withResolvers<BlockReference__Output>();
  const call = client.putBlock(metadata, (error, reference) => (error ? reply.reject(errorFromStatus(error, peer)) : reply.resolve(reference!)));
  const abort = (): void => call.cancel();
  signal.addEventListener('abort', abort, { once: true });
  try {
    for (const chunk of chunksOf(parts)) {
      if (!call.write({ data: chunk })) await Promise.race([once(call, 'drain'), reply.promise]);
    }
    call.end();
    return await reply.promise;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The SHA-256 of parts laid end to end, computed without holding up the event loop. */
export async function hashOfParts(parts: readonly Uint8Array[]): Promise<string> {
  const hash = createHash('sha256');
  let sinceTurn = 0;
  for (const chunk of chunksOf(parts)) {
    hash.update(chunk);
    sinceTurn += chunk.byteLength;
    if (sinceTurn < HASHED_AT_ONCE_BYTES) continue;
    sinceTurn = 0;
    await turn();
  }
  return hash.digest('hex');
}

export const numBytesOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { byteLength }) => sum + byteLength, 0);

function* chunksOf(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let start = 0; start < part.byteLength; start += BLOCK_CHUNK_BYTES) yield part.subarray(start, start + BLOCK_CHUNK_BYTES);
  }
}

function wrongBlock(peer: string, reference: BlockReference__Output, what: string): LockstepError {
  return new LockstepError('protocol', `block ${reference.sha256} from the ${peer} ${what} (${reference.numBytes} bytes)`);
}
