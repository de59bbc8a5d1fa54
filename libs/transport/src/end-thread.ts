import { parentPort } from 'node:worker_threads';

/** Longer than a stream that was ended waits for its other side. */
const GIVE_UP_MS = 2_000;

/**
 * Ends this thread as soon as its sockets are closed. One that exits while they still close, or while a write is under way, can take the
 * process with it (a segmentation fault: nodejs/node issues 56312 and 56825). What keeps it alive longer is given up.
 */
export function endThread(): void {
  parentPort?.close();
  setTimeout(() => process.exit(), GIVE_UP_MS).unref();
}
