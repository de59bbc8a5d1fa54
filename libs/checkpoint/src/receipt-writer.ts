import { open, type FileHandle } from 'node:fs/promises';
import { onceThereIsRoom, type LockstepError, type RoomOptions } from '@lockstep/core';
import { cutReceipts, nothingKept, type KeptReceipts } from './receipt-cut.ts';
import type { Receipt } from './receipts.ts';
import { storageError } from './storage-error.ts';

export interface ReceiptWriter {
  /** Queues a line; returns at once. @throws LockstepError `storage` if an earlier line could not be written. */
  write(receipt: Receipt): void;
  /**
   * Resolves when every line written so far is on the disk: before a checkpoint of their version or an acknowledgement
   * of their steps. @throws LockstepError `storage` if one could not be written.
   */
  sync(): Promise<void>;
  /** `sync`, then closes the file. */
  close(): Promise<void>;
}

export interface ReceiptWriterOptions {
  /** Null: a new file. A version: go on after its step; later lines are cut off. `end`: go on after the last whole line. */
  readonly resumeAt: number | 'end' | null;
  /** To sum what is kept by epoch. */
  readonly stepsPerEpoch: number;
  /** For so long a line may wait for room on a full disk (default: 0). */
  readonly patienceMs?: number;
  /** A line waits for room. */
  readonly onWaiting?: (error: LockstepError) => void;
}

/**
 * Opens the receipts of a run for appending.
 * @throws LockstepError `storage` if the file cannot be written, or naming file and line of a damaged record among those to keep.
 */
export async function openReceiptWriter(path: string, options: ReceiptWriterOptions): Promise<{ writer: ReceiptWriter; kept: KeptReceipts }> {
  const { resumeAt, stepsPerEpoch } = options;
  const kept = resumeAt === null ? nothingKept() : await cutReceipts(path, resumeAt, stepsPerEpoch);
  const file = await open(path, resumeAt === null ? 'w' : 'a').catch((cause: unknown) => { throw storageError(`cannot write ${path}`, cause); });
  return { writer: new FileReceiptWriter(path, file, options), kept };
}

/** So long lines wait for more, where nobody waits for them: a write wakes another thread, whatever it carries. */
const GATHER_MS = 100;

class FileReceiptWriter implements ReceiptWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #patienceMs: number;
  readonly #onWaiting: (error: LockstepError) => void;
  #queued = '';
  /** The write in progress and those after it. */
  #writing: Promise<void> = Promise.resolve();
  /** Who waits for the lines to be on the disk. */
  #numWaiting = 0;
  #endGathering: () => void = () => undefined;
  #failure: LockstepError | null = null;

  constructor(path: string, file: FileHandle, { patienceMs = 0, onWaiting = () => undefined }: ReceiptWriterOptions) {
    this.#path = path;
    this.#file = file;
    this.#patienceMs = patienceMs;
    this.#onWaiting = onWaiting;
  }

  write(receipt: Receipt): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#queued === '') this.#writing = this.#writing.then(() => this.#gather()).then(() => this.#writeQueued());
    this.#queued += `${JSON.stringify(receipt)}\n`;
  }

  async sync(): Promise<void> {
    this.#numWaiting += 1;
    this.#endGathering();
    await this.#writing;
    this.#numWaiting -= 1;
    await this.#attempt(() => this.#file.datasync());
    if (this.#failure !== null) throw this.#failure;
  }

  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      await this.#file.close();
    }
  }

  async #gather(): Promise<void> {
    if (this.#numWaiting > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS);
      this.#endGathering = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** All that has queued up since the last write. */
  async #writeQueued(): Promise<void> {
    const text = this.#queued;
    this.#queued = '';
    await this.#attempt(() => this.#append(Buffer.from(text)));
  }

  /** A full disk may take a part of what it is given; the rest waits. */
  async #append(bytes: Buffer): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      written += (await onceThereIsRoom(() => this.#file.write(bytes, written), this.#room())).bytesWritten;
    }
  }

  #room(): RoomOptions {
    const deadlineMs = performance.now() + this.#patienceMs;
    return {
      goOn: () => performance.now() < deadlineMs,
      onWaiting: (error) => this.#onWaiting(storageError(`cannot write ${this.#path}`, error)),
    };
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    if (this.#failure !== null) return;
    await action().catch((cause: unknown) => { this.#failure = storageError(`cannot write ${this.#path}`, cause); });
  }
}
