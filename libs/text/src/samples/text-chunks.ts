import { createReadStream, statSync } from 'node:fs';
import { LockstepError } from '@lockstep/core';
import { fileError } from './file-error.ts';
import type { TextSource } from './text-source.ts';

const CHUNK_BYTES = 256 * 1024;

/** A file's text as it is read, without a byte order mark. Throws `data` naming the file where it is not UTF-8. */
export async function* readTextChunks(file: string, { onProgress, signal }: Pick<TextSource, 'onProgress' | 'signal'>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let done = 0;
  try {
    const { size } = statSync(file);
    for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      yield decode(decoder, chunk, file, done);
      done += chunk.length;
      onProgress?.(done, size, file);
    }
    yield decode(decoder, null, file, done);
  } catch (error) {
    throw fileError(file, error);
  }
}

/** `null` ends the text. */
function decode(decoder: InstanceType<typeof TextDecoder>, chunk: Buffer | null, file: string, position: number): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new LockstepError('data', `${file}: not UTF-8, at or soon after byte ${position}`, { cause, hint: 'convert it, with iconv for instance' });
  }
}
