import { Worker } from 'node:worker_threads';

/** Makes a new file of the chunks, one after another, and syncs it. */
export interface WriteRequest {
  readonly kind: 'write';
  readonly path: string;
  readonly chunks: readonly Uint8Array[];
  readonly hashLastChunk: boolean;
}

/** Reads a file whole, if it has the expected size. */
export interface ReadRequest {
  readonly kind: 'read';
  readonly path: string;
  readonly expectedBytes: number;
}

export type FileRequest = WriteRequest | ReadRequest;

export type FileAnswer =
  | { readonly kind: 'written'; readonly bytes: number; readonly sha256: string; readonly lastChunkSha256: string | null }
  | { readonly kind: 'read'; readonly bytes: Uint8Array; readonly sha256: string };

type AnswerTo<Request extends FileRequest> = FileAnswer & { readonly kind: Request extends WriteRequest ? 'written' : 'read' };

interface Reply {
  readonly id: number;
  readonly answer?: FileAnswer;
  readonly error?: Error;
  readonly code?: string;
}

/**
 * Writes or reads a file and hashes it on a thread of its own: SHA-256 takes 1.3 ms a MB, which the caller's thread has not.
 * The thread is started with the first job and keeps no process alive that waits for none.
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

  #settle({ id, answer, error, code }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (answer !== undefined) waiting?.resolve(answer);
    else waiting?.reject(Object.assign(error ?? new Error('no answer'), { code }));
  }

  #end(error: Error): void {
    if (thread === this) thread = null;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
