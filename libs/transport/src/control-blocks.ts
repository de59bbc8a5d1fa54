import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { status, type sendUnaryData } from '@grpc/grpc-js';
import { LockstepError, sha256 } from '@lockstep/core';
import type { BlockShelf } from './block-shelf.ts';
import { peerOf } from './control-membership.ts';
import type { ControlNotes } from './control-notes.ts';
import { PUT_METADATA, type FetchServerStream, type PutServerStream } from './coordinator-service.ts';
import type { BlockChunk__Output } from './gen/lockstep/v1/BlockChunk.ts';
import type { BlockReference } from './gen/lockstep/v1/BlockReference.ts';
import { statusFromError } from './grpc-errors.ts';

const MOST_BLOCKS = 8;
const MOST_BYTES = 4 * 1024 ** 3;
/** A host names a block as soon as it is put: one that nobody has taken by then belongs to a host that is gone. */
const UNTAKEN_MS = 60_000;
/** A host that puts a block and says nothing for so long is gone. */
const PUT_SILENCE_MS = 30_000;

/** Sends a block of the shelf as fast as the peer reads it, and reads it no faster. */
export async function sendBlock(stream: FetchServerStream, shelf: BlockShelf): Promise<void> {
  try {
    for await (const data of shelf.read(stream.request.sha256)) {
      if (stream.cancelled) return;
      if (!stream.write({ data })) await drained(stream);
    }
    stream.end();
  } catch (error) {
    stream.emit('error', statusFromError(error instanceof LockstepError ? error : new LockstepError('storage', `cannot read block ${stream.request.sha256}`, { cause: error })));
  }
}

/** Waits until the peer takes more, or has gone. */
async function drained(stream: FetchServerStream): Promise<void> {
  const gone = new AbortController();
  const cancelled = (): void => gone.abort();
  stream.once('cancelled', cancelled);
  try {
    if (!stream.cancelled) await once(stream, 'drain', { signal: gone.signal });
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    stream.off('cancelled', cancelled);
  }
}

/** Takes the blocks that hosts of this run put, within bounds, and checks each against its SHA-256. */
export class BlockIntake {
  readonly #shelf: BlockShelf;
  readonly #notes: ControlNotes;
  readonly #closing = new AbortController();
  /** What a peer must present; before it is known nobody may put a block. */
  token = '';
  #blocks = 0;
  #bytes = 0;

  constructor(shelf: BlockShelf, notes: ControlNotes) {
    this.#shelf = shelf;
    this.#notes = notes;
  }

  async take(stream: PutServerStream, callback: sendUnaryData<BlockReference>): Promise<void> {
    try {
      const announced = this.#admit(stream);
      callback(null, await this.#receive(stream, announced));
    } catch (error) {
      if (stream.cancelled) return;
      this.#notes.warn(`${peerOf(stream)}: its block was refused: ${error instanceof LockstepError ? error.message : String(error)}`);
      callback(refusalOf(error));
      stream.resume();
    }
  }

  /** Lets go of what has been put and not been taken. */
  close(): void {
    this.#closing.abort();
  }

  #admit({ metadata }: PutServerStream): { readonly hash: string; readonly numBytes: number } {
    const [token, hash, bytes] = [PUT_METADATA.token, PUT_METADATA.sha256, PUT_METADATA.numBytes].map((key) => String(metadata.get(key)[0] ?? '')) as [string, string, string];
    if (this.token === '' || !timingSafeEqual(Buffer.from(sha256(Buffer.from(token))), Buffer.from(sha256(Buffer.from(this.token))))) throw new Refused(status.PERMISSION_DENIED, 'it does not present the token of this run');
    const numBytes = Number(bytes);
    if (!/^[0-9a-f]{64}$/.test(hash) || !/^\d{1,15}$/.test(bytes)) throw new Refused(status.INVALID_ARGUMENT, `got a block "${hash.slice(0, 80)}" of "${bytes.slice(0, 20)}" bytes, expected a SHA-256 and a number`);
    if (this.#blocks >= MOST_BLOCKS) throw new Refused(status.RESOURCE_EXHAUSTED, `${this.#blocks} blocks are under way, the most at a time`);
    if (this.#bytes + numBytes > MOST_BYTES) throw new Refused(status.RESOURCE_EXHAUSTED, `a block of ${numBytes} bytes with ${this.#bytes} under way, ${MOST_BYTES} at most`);
    return { hash, numBytes };
  }

  async #receive(stream: PutServerStream, { hash, numBytes }: { readonly hash: string; readonly numBytes: number }): Promise<BlockReference> {
    this.#blocks += 1;
    this.#bytes += numBytes;
    try {
      const block = await receiveBlock(stream, hash, numBytes);
      const reference = this.#shelf.arrive(hash, block);
      this.#forgetLater(hash, block);
      return reference;
    } finally {
      this.#blocks -= 1;
      this.#bytes -= numBytes;
    }
  }

  #forgetLater(hash: string, block: Uint8Array): void {
    const forget = (): void => {
      if (this.#shelf.forget(hash, block)) this.#notes.warn(`block ${hash} was put and not taken within ${UNTAKEN_MS / 1000} s`);
    };
    const timer = setTimeout(forget, UNTAKEN_MS).unref();
    this.#closing.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }
}

class Refused extends LockstepError {
  readonly status: status;

  constructor(code: status, message: string) {
    super('protocol', message);
    this.status = code;
  }
}

const refusalOf = (error: unknown): ReturnType<typeof statusFromError> =>
  (error instanceof Refused ? { code: error.status, details: error.message } : statusFromError(error));

async function receiveBlock(stream: PutServerStream, expected: string, numBytes: number): Promise<Uint8Array> {
  const block = Buffer.allocUnsafeSlow(numBytes);
  const hash = createHash('sha256');
  let received = 0;
  const silence = setTimeout(() => stream.destroy(new Refused(status.DEADLINE_EXCEEDED, `it said nothing for ${PUT_SILENCE_MS / 1000} s`)), PUT_SILENCE_MS);
  try {
    for await (const { data } of stream as AsyncIterable<BlockChunk__Output>) {
      silence.refresh();
      if (received + data.byteLength > numBytes) throw new Refused(status.INVALID_ARGUMENT, `it is longer than the ${numBytes} bytes that were announced`);
      block.set(data, received);
      hash.update(data);
      received += data.byteLength;
    }
  } finally {
    clearTimeout(silence);
  }
  if (received !== numBytes || hash.digest('hex') !== expected) throw new Refused(status.INVALID_ARGUMENT, `${received} bytes of ${numBytes} came, without the SHA-256 ${expected}`);
  return block;
}
