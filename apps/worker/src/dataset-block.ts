import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { LockstepError, type RunConfig } from '@lockstep/core';
import type { BlockReference__Output, ControlClient } from '@lockstep/transport';
import { cachedBlockPath, storeBlock } from './block-cache.ts';
import type { WorkerDataset } from './engine-messages.ts';

/**
 * The run's data: read where the coordinator has it when this machine sees the same bytes there, else from this
 * machine's cache, else fetched from the coordinator into the cache. Images come into memory, tokens stay in their file.
 */
export async function obtainDataset(config: RunConfig, reference: BlockReference__Output, control: ControlClient, signal: AbortSignal): Promise<WorkerDataset> {
  return config.data.source.kind === 'tokens'
    ? { kind: 'tokens', path: await obtainFile(reference, control, signal) }
    : { kind: 'images', block: await obtainBlock(reference, control, signal) };
}

async function obtainBlock(reference: BlockReference__Output, control: ControlClient, signal: AbortSignal): Promise<SharedArrayBuffer> {
  for (const path of placesOf(reference)) {
    const here = new SharedArrayBuffer(reference.numBytes);
    if (await isBlock(path, reference, new Uint8Array(here))) return here;
  }
  const block = new SharedArrayBuffer(reference.numBytes);
  const bytes = new Uint8Array(block);
  await control.fetchBlockInto(reference, (chunk, offset) => bytes.set(chunk, offset), signal);
  // A cache that cannot be written costs the next run a download, not this run.
  await storeBlock(reference, async (file) => void (await file.write(bytes))).catch(() => undefined);
  return block;
}

async function obtainFile(reference: BlockReference__Output, control: ControlClient, signal: AbortSignal): Promise<string> {
  for (const path of placesOf(reference)) if (await isBlock(path, reference, null)) return path;
  try {
    return await storeBlock(reference, (file) => control.fetchBlockInto(reference, (chunk, offset) => file.write(chunk, 0, chunk.byteLength, offset), signal));
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof LockstepError) throw cause;
    throw new LockstepError('storage', `cannot keep the run's tokens: ${String(cause)}`, { cause, hint: 'XDG_CACHE_HOME names a directory with room for them' });
  }
}

const placesOf = (reference: BlockReference__Output): string[] => [reference.path, cachedBlockPath(reference)].filter((path) => path !== '');

/** Read and hashed at once, so that heartbeats go out in between. */
const READ_BYTES = 4 * 1024 * 1024;

/** Whether the file has the block's bytes; they are kept in `into` where that is given. */
async function isBlock(path: string, reference: BlockReference__Output, into: Uint8Array | null): Promise<boolean> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return false;
  try {
    if ((await file.stat()).size !== reference.numBytes) return false;
    const room = into ?? new Uint8Array(READ_BYTES);
    const hash = createHash('sha256');
    for (let done = 0; done < reference.numBytes;) {
      const start = into === null ? 0 : done;
      const { bytesRead } = await file.read(room, start, Math.min(READ_BYTES, room.byteLength - start), done);
      if (bytesRead === 0) return false;
      hash.update(room.subarray(start, start + bytesRead));
      done += bytesRead;
    }
    return hash.digest('hex') === reference.sha256;
  } finally {
    await file.close();
  }
}
