import { SliceOrder } from './slice-order.ts';
import type { TensorFrame } from './tensor-frame.ts';

/** Fills `into` with a slice's bytes from `offset` on. False where they are not there any more: what was read may be anything. */
export type ReadBytes = (offset: number, into: Uint8Array) => boolean;

/** Where one tensor slice goes: memory is reserved before its first byte, and committed or abandoned after. */
export interface Landing {
  /** Null where the slice is of no use and only skipped over. */
  reserve(): Uint8Array | null;
  commit(destination: Uint8Array): void;
  abandon(destination: Uint8Array): void;
}

interface Arriving {
  readonly landing: Landing;
  readonly destination: Uint8Array;
}

/** Puts the chunks that arrive on one stream in their place: one slice at a time, from its first chunk to its last. */
export class ChunkAssembly {
  readonly #order = new SliceOrder();
  #arriving: Arriving | null = null;

  /** Takes the next chunk, whose bytes `read` gives; `landing` counts where a slice begins. A slice that is gone before it is read is abandoned. */
  take(frame: TensorFrame, landing: Landing, read: ReadBytes = payloadOf(frame)): void {
    const { offset, count } = frame.header;
    const { isFirst, isLast } = this.#order.next(frame.header);
    if (isFirst) this.#reserve(landing);
    const arriving = this.#arriving;
    if (arriving === null) return;
    if (!read(offset, arriving.destination.subarray(offset, offset + count))) return this.abandon();
    if (!isLast) return;
    this.#arriving = null;
    arriving.landing.commit(arriving.destination);
  }

  /** What has begun to arrive will not be whole. */
  abandon(): void {
    const arriving = this.#arriving;
    this.#arriving = null;
    arriving?.landing.abandon(arriving.destination);
  }

  #reserve(landing: Landing): void {
    const destination = landing.reserve();
    this.#arriving = destination === null ? null : { landing, destination };
  }
}

/** Reads the bytes that came with their frame. */
export function payloadOf({ header, payload }: TensorFrame): ReadBytes {
  return (offset, into) => {
    const start = offset - header.offset;
    into.set(payload.subarray(start, start + into.length));
    return true;
  };
}
