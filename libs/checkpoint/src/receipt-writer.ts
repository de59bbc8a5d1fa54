import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { LockstepError, messageOf } from '@lockstep/core';
import type { Receipt } from './receipts.ts';

export interface ReceiptWriter {
  /** Queues a line; returns at once. @throws LockstepError `storage` if an earlier line could not be written. */
  write(receipt: Receipt): void;
  /** Resolves when every line is on the disk. @throws LockstepError `storage` if one could not be written. */
  close(): Promise<void>;
}

/** Appends receipts to a file, a line each. */
export function createReceiptWriter(path: string): ReceiptWriter {
  const stream = createWriteStream(path, { flags: 'a', flush: true });
  let failure: unknown = null;
  stream.on('error', (error) => { failure = error; });
  const failed = (cause: unknown) => new LockstepError('storage', `cannot write ${path}: ${messageOf(cause)}`, { cause });
  return {
    write(receipt) {
      if (failure !== null) throw failed(failure);
      stream.write(`${JSON.stringify(receipt)}\n`);
    },
    async close() {
      if (failure !== null) throw failed(failure);
      stream.end();
      await finished(stream).catch((cause: unknown) => { throw failed(cause); });
    },
  };
}
