import { LockstepError, messageOf } from '@lockstep/core';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

const FLUSH_BYTES = 64 * 1024;
const FLUSH_AFTER_MS = 100;

/**
 * Gathers small chunks and hands them to a stream in large ones: at 64 KiB, or 100 ms after the first.
 * While the stream pushes back, chunks wait here. After a failure the rest is dropped, and `close` tells it.
 */
export interface BatchedWriter<Chunk extends string | Buffer> {
  write(chunk: Chunk): void;
  flush(): void;
  /** Flushes and waits until the stream has taken everything; ends the stream where it is owned. Rejects with `storage`. */
  close(): Promise<void>;
}

export interface BatchedWriterOptions<Chunk> {
  readonly join: (chunks: readonly Chunk[]) => Chunk;
  /** Names the destination in errors. */
  readonly name: string;
  /** Whether `close` ends the stream, which standard output must survive. */
  readonly owned: boolean;
}

export function createBatchedWriter<Chunk extends string | Buffer>(stream: Writable, { join, name, owned }: BatchedWriterOptions<Chunk>): BatchedWriter<Chunk> {
  let pending: Chunk[] = [];
  let pendingBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let pushedBack = false;
  let failure: unknown;

  stream.on('error', (error) => { failure ??= error; });
  stream.on('drain', () => { pushedBack = false; flush(); });

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (pending.length === 0 || pushedBack) return;
    const batch = join(pending);
    pending = [];
    pendingBytes = 0;
    if (failure === undefined) pushedBack = !stream.write(batch);
  }

  return {
    write(chunk) {
      pending.push(chunk);
      pendingBytes += chunk.length;
      if (pendingBytes >= FLUSH_BYTES) flush();
      else timer ??= setTimeout(flush, FLUSH_AFTER_MS).unref();
    },
    flush,
    async close() {
      clearTimeout(timer);
      pushedBack = false;
      flush();
      await (owned ? endOf(stream) : writtenOut(stream)).catch((error: unknown) => { failure ??= error; });
      if (failure !== undefined && !isReaderGone(failure)) {
        throw new LockstepError('storage', `${name}: ${messageOf(failure)}`, { cause: failure });
      }
    },
  };
}

function endOf(stream: Writable): Promise<void> {
  stream.end();
  return finished(stream);
}

function writtenOut(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => stream.write('', (error) => (error ? reject(error) : resolve())));
}

/** The reader of a pipe may have had enough (`| head`), which is no failure of the run. */
function isReaderGone(failure: unknown): boolean {
  return failure instanceof Error && 'code' in failure && failure.code === 'EPIPE';
}
