import { LockstepError } from '@lockstep/core';
import { decodeHead, headBytesOf, HEADER_BYTES, MAX_FRAME_BYTES, type FrameHead, type TensorFrame } from './tensor-frame.ts';

/** What a peer may have kept here before it has said who it is. */
const STRANGER_BYTES = 4096;

/**
 * Takes a socket's bytes as they come and gives frames. JSON is given whole; a slice is given as it arrives, each part
 * a frame of its own with the extent that it covers, so that it goes from the socket's buffer to its place at once.
 */
export class FrameReader {
  readonly #onFrame: (frame: TensorFrame) => void;
  /** The head that is arriving, and JSON after it. */
  #kept = Buffer.alloc(HEADER_BYTES);
  #keptBytes = 0;
  #mayKeepBytes = STRANGER_BYTES;
  /** The frame whose slice is arriving, and what is still to come of it. */
  #head: FrameHead | null = null;
  #bytesLeft = 0;

  constructor(onFrame: (frame: TensorFrame) => void) {
    this.#onFrame = onFrame;
  }

  /** The peer is known: heads and JSON may be as long as a frame. */
  trust(): void {
    this.#mayKeepBytes = MAX_FRAME_BYTES;
  }

  /** Takes the next bytes, which may be reused once this returns. @throws LockstepError `protocol` where they are no frames. */
  take(bytes: Buffer): void {
    let rest = bytes;
    while (rest.byteLength > 0) rest = rest.subarray(this.#head === null ? this.#takeHead(rest) : this.#takeSlice(this.#head, rest));
  }

  /** Gives how many bytes it took. */
  #takeHead(bytes: Buffer): number {
    const wanted = this.#wantedBytes();
    const taken = Math.min(bytes.byteLength, wanted - this.#keptBytes);
    this.#keep(bytes.subarray(0, taken), wanted);
    if (this.#keptBytes === wanted && this.#wantedBytes() === wanted) this.#begin();
    return taken;
  }

  /** A header first, then what it says that belongs to the head, then the JSON if that is what follows. */
  #wantedBytes(): number {
    if (this.#keptBytes < HEADER_BYTES) return HEADER_BYTES;
    const headBytes = headBytesOf(this.#kept);
    if (this.#keptBytes < headBytes) return headBytes;
    const { isJson, payloadBytes } = decodeHead(this.#kept);
    return isJson ? headBytes + payloadBytes : headBytes;
  }

  #keep(bytes: Buffer, wanted: number): void {
    if (wanted > this.#mayKeepBytes) throw new LockstepError('protocol', `malformed tensor frame: ${wanted} bytes before the slice, expected at most ${this.#mayKeepBytes}`);
    if (this.#kept.byteLength < wanted) this.#kept = Buffer.concat([this.#kept.subarray(0, this.#keptBytes)], wanted);
    this.#kept.set(bytes, this.#keptBytes);
    this.#keptBytes += bytes.byteLength;
  }

  #begin(): void {
    const head = decodeHead(this.#kept);
    const kept = this.#kept.subarray(0, this.#keptBytes);
    if (kept.byteLength > HEADER_BYTES) this.#kept = Buffer.alloc(HEADER_BYTES);
    this.#keptBytes = 0;
    if (!head.isJson && head.payloadBytes > 0) {
      this.#head = head;
      this.#bytesLeft = head.payloadBytes;
      return;
    }
    this.#onFrame({ header: head.header, payload: kept.subarray(kept.byteLength - (head.isJson ? head.payloadBytes : 0)), digests: head.digests });
  }

  #takeSlice({ header, digests, payloadBytes }: FrameHead, bytes: Buffer): number {
    const payload = bytes.subarray(0, this.#bytesLeft);
    const offset = payloadBytes - this.#bytesLeft;
    this.#bytesLeft -= payload.byteLength;
    if (this.#bytesLeft === 0) this.#head = null;
    this.#onFrame({ header: { ...header, offset: header.offset + offset, count: payload.byteLength }, payload, digests: offset === 0 ? digests : digests.subarray(0, 0) });
    return payload.byteLength;
  }
}
