import { bytesOf } from '@lockstep/core';

/** What a safetensors file names the elements that Lockstep reads and writes. */
export type ElementType = 'F32' | 'F16' | 'BF16';

export const BYTES_PER_ELEMENT: Readonly<Record<ElementType, number>> = { F32: 4, F16: 2, BF16: 2 };

export const isElementType = (type: string): type is ElementType => Object.hasOwn(BYTES_PER_ELEMENT, type);

/** Widens little-endian elements to float32, which changes no value. `target` has one element for each. */
export function widenInto(type: ElementType, bytes: Uint8Array<ArrayBuffer>, target: Float32Array): void {
  if (type === 'F32') bytesOf(target).set(bytes);
  else if (type === 'F16') target.set(new Float16Array(bytes.buffer, bytes.byteOffset, target.length));
  else widenBrainFloats(new Uint16Array(bytes.buffer, bytes.byteOffset, target.length), target);
}

/** Rounds float32 to the nearest element, ties to even (IEEE 754), as PyTorch's conversions do; little-endian bytes. */
export function narrow(type: ElementType, values: Float32Array): Uint8Array {
  if (type === 'F32') return bytesOf(values);
  return bytesOf(type === 'F16' ? new Float16Array(values) : narrowToBrainFloats(values));
}

/** The upper half of a float32's bits. */
function widenBrainFloats(halves: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < halves.length; index++) bits[index] = halves[index]! << 16;
}

const QUIET_NAN = 0x7fc0;

function narrowToBrainFloats(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < halves.length; index++) {
    const word = bits[index]!;
    halves[index] = Number.isNaN(values[index]) ? QUIET_NAN : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}
