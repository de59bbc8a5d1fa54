import { open } from 'node:fs/promises';
import { sha256 } from '@lockstep/core';
import type { BlockReference__Output, ControlClient } from '@lockstep/transport';
import { readCachedBlock, writeCachedBlock } from './block-cache.ts';

/**
 * The run's data set in shared memory: read where the coordinator has it when this machine sees the same bytes there,
 * else from this machine's cache, else fetched from the coordinator and cached.
 */
export async function obtainDataset(reference: BlockReference__Output, control: ControlClient, signal: AbortSignal): Promise<SharedArrayBuffer> {
  const here = await readVerified(reference.path, reference);
  if (here !== null) return here;
  const cached = await readCachedBlock(reference, (path) => readVerified(path, reference));
  if (cached !== null) return cached;
  const fetched = await control.fetchBlock(reference, signal);
  await writeCachedBlock(reference, fetched);
  const block = new SharedArrayBuffer(fetched.byteLength);
  new Uint8Array(block).set(fetched);
  return block;
}

/** The file's bytes when they are the block's, or null. */
async function readVerified(path: string, reference: BlockReference__Output): Promise<SharedArrayBuffer | null> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return null;
  try {
    if ((await file.stat()).size !== reference.numBytes) return null;
    const block = new SharedArrayBuffer(reference.numBytes);
    const bytes = new Uint8Array(block);
    let done = 0;
    while (done < bytes.byteLength) {
      const { bytesRead } = await file.read(bytes, done, bytes.byteLength - done, done);
      if (bytesRead === 0) return null;
      done += bytesRead;
    }
    return sha256(bytes) === reference.sha256 ? block : null;
  } finally {
    await file.close();
  }
}
