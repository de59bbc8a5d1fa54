import type { ReadBytes } from '@lockstep/transport';

/** Reads a partial's slice as a stream does. */
export function readFrom(slice: Uint8Array): ReadBytes {
  return (offset, into) => {
    into.set(slice.subarray(offset, offset + into.length));
    return true;
  };
}
