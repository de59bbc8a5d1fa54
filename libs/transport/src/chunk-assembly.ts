import { bytesOf, LockstepError } from '@lockstep/core';
import type { FrameHeader } from './tensor-frame.ts';

/** Puts the chunks of one tensor slice, which arrive in order on one stream, in their place. */
export class ChunkAssembly {
  readonly header: FrameHeader;
  /** Null where the slice is only skipped over. */
  readonly destination: Float32Array | null;
  #received = 0;

  constructor(header: FrameHeader, destination: Float32Array | null) {
    this.header = header;
    this.destination = destination;
  }

  /** Takes the next chunk; true when the slice is whole. */
  take(header: FrameHeader, payload: Buffer): boolean {
    if (header.offset !== this.#received || header.length !== this.header.length) {
      throw new LockstepError('protocol', `chunk at ${header.offset} of ${header.length}, expected at ${this.#received} of ${this.header.length}`);
    }
    if (this.destination !== null) bytesOf(this.destination).set(payload, header.offset * 4);
    this.#received += header.count;
    return this.#received === this.header.length;
  }
}

/** Checks a slice's length against the range that it is for, before any of it is used. */
export function checkLength(header: FrameHeader, length: number): void {
  if (header.length !== length) {
    throw new LockstepError('protocol', `${header.kind} of ${header.length} elements for a range of ${length}`);
  }
}
