import { Worker } from 'node:worker_threads';
import type { CheckpointManifest } from './checkpoint-manifest.ts';

/** Makes a new directory of files and the manifest that names them, whole or not at all, beside other such directories. */
export interface CheckpointRequest {
  readonly kind: 'checkpoint';
  readonly directory: string;
  readonly files: readonly FileChunks[];
  readonly manifest: Omit<CheckpointManifest, 'files'>;
}

/** A file as chunks that follow one another. */
export interface FileChunks {
  readonly name: keyof CheckpointManifest['files'];
  readonly chunks: readonly Uint8Array[];
}

/** Removes directories, each whole or not at all; one that is not there is none to remove. */
export interface RemoveRequest {
  readonly kind: 'remove';
  readonly directories: readonly string[];
}

/** Reads a file whole, if it has the expected size. */
export interface ReadRequest {
  readonly kind: 'read';
  readonly path: string;
  readonly expectedBytes: number;
}

export type FileRequest = CheckpointRequest | RemoveRequest | ReadRequest;

export type FileAnswer = { readonly kind: 'done' } | { readonly kind: 'read'; readonly bytes: Uint8Array; readonly sha256: string };

type AnswerTo<Request extends FileRequest> = FileAnswer & { readonly kind: Request extends ReadRequest ? 'read' : 'done' };

/** What a job rejects with: the system's error, and what it was about. */
export interface FileError extends Error {
  readonly code?: string;
  readonly path?: string;
}

interface Reply {
  readonly id: number;
  readonly answer?: FileAnswer;
  readonly error?: FileError;
  readonly code?: string;
  readonly path?: string;
}

/**
 * Does a job with files on a thread of its own: it blocks that, and SHA-256 takes 1.3 ms a MB, which the caller's thread
 * has not. The thread is started with the first job and keeps no process alive that waits for none.
 */
export function runFileJob<Request extends FileRequest>(request: Request): Promise<AnswerTo<Request>> {
  thread ??= new FileThread();
  return thread.run(request) as Promise<AnswerTo<Request>>;
}

let thread: FileThread | null = null;

class FileThread {
  readonly #worker = new Worker(new URL('./file-thread.ts', import.meta.url));
  readonly #waiting = new Map<number, PromiseWithResolvers<FileAnswer>>();
  #lastId = 0;

  constructor() {
    this.#worker.on('message', (reply: Reply) => { this.#settle(reply); });
    this.#worker.on('error', (error) => { this.#end(error); });
    this.#worker.on('exit', () => { this.#end(new Error('the thread that writes files has ended')); });
  }

  run(request: FileRequest): Promise<FileAnswer> {
    const id = (this.#lastId += 1);
    const waiting = Promise.withResolvers<FileAnswer>();
    this.#worker.postMessage({ id, request });
    this.#waiting.set(id, waiting);
    this.#worker.ref();
    return waiting.promise;
  }

  #settle({ id, answer, error, code, path }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (answer !== undefined) waiting?.resolve(answer);
    else waiting?.reject(Object.assign(error ?? new Error('no answer'), { code, path }));
  }

  #end(error: Error): void {
    if (thread === this) thread = null;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
