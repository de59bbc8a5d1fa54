import { writeFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { LockstepError, messageOf, sha256, type DataConfig, type ErrorCode } from '@lockstep/core';
import { encodeSplits, loadSplits } from '@lockstep/data';

/** What the thread is to prepare. */
export interface DatasetOrder {
  readonly data: DataConfig;
  readonly seed: number;
  /** The file that the block is written to. */
  readonly path: string;
}

export type DatasetMessage =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number; readonly what: string }
  | { readonly kind: 'prepared'; readonly block: Uint8Array; readonly sha256: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined };

/** The thread that reads, cleans and splits the data, so that the coordinator answers meanwhile. */
const { data, seed, path } = workerData as DatasetOrder;

try {
  const block = encodeSplits(await loadSplits(data, { seed, onProgress: (done, total, what) => tell({ kind: 'progress', done, total, what }) }));
  await writeFile(path, block, { mode: 0o600 });
  tell({ kind: 'prepared', block, sha256: sha256(block) }, [block.buffer as ArrayBuffer]);
} catch (error) {
  const { code, message, hint } = error instanceof LockstepError ? error : new LockstepError('data', messageOf(error));
  tell({ kind: 'failed', code, message, hint });
}

function tell(message: DatasetMessage, transfer: readonly ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, transfer);
}
