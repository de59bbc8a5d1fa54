import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
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

/** Read and hashed at once, so that heartbeats go out in between. */
const READ_BYTES = 4 * 1024 * 1024;

/** The file's bytes when they are the block's, or null. */
async function readVerified(path: string, reference: BlockReference__Output): Promise<SharedArrayBuffer | null> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return null;
  try {
    if ((await file.stat()).size !== reference.numBytes) return null;
    const block = new SharedArrayBuffer(reference.numBytes);
    const bytes = new Uint8Array(block);
    const hash = createHash('sha256');
    let done = 0;
    while (done < bytes.byteLength) {
      const { bytesRead } = await file.read(bytes, done, Math.min(READ_BYTES, bytes.byteLength - done), done);
      if (bytesRead === 0) return null;
      hash.update(bytes.subarray(done, done + bytesRead));
      done += bytesRead;
    }
    return hash.digest('hex') === reference.sha256 ? block : null;
  } finally {
    await file.close();
  }
}
