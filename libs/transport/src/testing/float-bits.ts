import { bytesOf, sha256, uniformStream } from '@lockstep/core';

const SPECIAL = [0x7fc00000, 0x7f800001, 0xffc12345, 0x7f800000, 0xff800000, 0x80000000, 0x00000001, 0x807fffff, 0x7f7fffff];

/** Floats of random bits, with NaNs of several payloads, infinities, denormals and -0 among them; in memory that threads share. */
export function anyFloats(seed: number, length: number): Float32Array {
  const draw = uniformStream(seed);
  const bits = new Uint32Array(new SharedArrayBuffer(length * 4));
  for (let index = 0; index < length; index += 1) {
    bits[index] = index % 7 === 0 ? SPECIAL[(index / 7) % SPECIAL.length]! : draw() * 2 ** 32;
  }
  return new Float32Array(bits.buffer);
}

/** Equality of floats does not see the sign of 0 and the payload of NaN; equality of these does. */
export const bitsOf = (view: ArrayBufferView): string => `${view.byteLength} bytes, ${sha256(bytesOf(view))}`;
