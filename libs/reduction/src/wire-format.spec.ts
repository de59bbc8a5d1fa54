import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyFloats } from '../reference/arbitrary-floats.ts';
import { bitsOf, randomFloats } from '../reference/random-floats.ts';
import { scalarRound, scalarWireFormats } from '../reference/scalar-wire-formats.ts';
import { createKernels } from './kernels.ts';
import type { Bytes, Vector } from './vector.ts';
import type { WireFormat } from './wire-format.ts';

const kernels = createKernels();
const WHOLE_BLOCKS = [95, 96, 97, 128, 1000];
const lengths = fc.oneof(fc.nat(70), fc.constantFrom(...WHOLE_BLOCKS));
/** Where vectors and bytes start, in elements past a multiple of 64 bytes. */
const offsets = fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5));
const pairs = lengths.chain((length) => fc.tuple(anyFloats(length), anyFloats(length), offsets));

/** Calls `use` with the arrays in kernel memory and room for the encoded first, all at these offsets. */
function inMemory(
  format: WireFormat, [first, second]: readonly [Float32Array, Float32Array], [a, b, c]: readonly [number, number, number],
  use: (first: Vector, second: Vector, out: Bytes) => void,
): void {
  const vectors = [[first, a], [second, b]] as const;
  const whole = vectors.map(([values, offset]) => kernels.allocate(values.length + offset));
  const [left, right] = vectors.map(([values, offset], index) => {
    const vector = kernels.slice(whole[index] as Vector, offset, offset + values.length);
    vector.data.set(values);
    return vector;
  }) as [Vector, Vector];
  const length = format.bytesFor(first.length);
  const room = kernels.allocateBytes(c + length + 1);
  room.data.fill(0xa5);
  use(left, right, { data: room.data.subarray(c, c + length), byteOffset: room.byteOffset + c, length });
  expect(room.data[c + length], 'the byte after the encoded').toBe(0xa5);
  for (const vector of whole) kernels.release(vector);
  kernels.releaseBytes(room);
}

function encoded(format: WireFormat, values: Float32Array): Uint8Array {
  let bytes = new Uint8Array(0);
  inMemory(format, [values, values], [0, 0, 0], (floats, _, out) => {
    format.encode(floats, out);
    bytes = out.data.slice();
  });
  return bytes;
}

function rounded(format: WireFormat, values: Float32Array): Float32Array {
  let result = new Float32Array(0);
  inMemory(format, [values, values], [0, 0, 0], (floats) => {
    format.round(floats);
    result = floats.data.slice();
  });
  return result;
}

describe.each(Object.values(kernels.wireFormats))('$name', (format) => {
  const scalar = scalarWireFormats[format.name];

  it('gives the bits of the scalar formulas for any numbers, lengths and offsets', () => {
    fc.assert(fc.property(pairs, ([values, other, at]) => {
      inMemory(format, [values, other], at, (floats, result, out) => {
        format.encode(floats, out);
        expect(out.data).toEqual(scalar.encode(values));
        expect(bitsOf(floats.data)).toEqual(bitsOf(values));
        format.decode(out, result);
        expect(bitsOf(result.data)).toEqual(bitsOf(scalarRound(scalar, values)));
        format.round(floats);
        expect(bitsOf(floats.data)).toEqual(bitsOf(result.data));
      });
    }));
  });

  it('rounds a sum as it rounds numbers', () => {
    fc.assert(fc.property(pairs, ([values, other, at]) => {
      const sum = values.map((value, index) => value + (other[index] ?? Number.NaN));
      inMemory(format, [values, other], at, (into, right) => {
        format.merge(into, right);
        expect(bitsOf(into.data)).toEqual(bitsOf(scalarRound(scalar, sum)));
        expect(bitsOf(right.data)).toEqual(bitsOf(other));
      });
    }));
  });

  it('encodes what it decoded to the same bytes', () => {
    fc.assert(fc.property(lengths.chain(anyFloats), (values) => {
      const bytes = encoded(format, values);
      expect(encoded(format, rounded(format, values))).toEqual(bytes);
      expect(bitsOf(rounded(format, rounded(format, values)))).toEqual(bitsOf(rounded(format, values)));
    }), { numRuns: 300 });
  });

  it('gives a piece that starts and ends at blocks the bytes of the whole', () => {
    const values = randomFloats(3000, 11);
    const whole = encoded(format, values);
    for (let from = 0; from < values.length; from += 7 * format.blockLength) {
      for (const to of [Math.min(from + 5 * format.blockLength, values.length), values.length]) {
        expect(encoded(format, values.subarray(from, to))).toEqual(whole.subarray(format.bytesFor(from), format.bytesFor(to)));
      }
    }
  });

  it('keeps infinities and NaNs from passing for numbers', () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      const values = randomFloats(70, 12);
      values[33] = value;
      expect(Number.isFinite(rounded(format, values)[33])).toBe(false);
    }
  });
});

describe('bf16', () => {
  const format = kernels.wireFormats.bf16;

  it('has every one of its 65,536 numbers exactly', () => {
    const halves = Uint16Array.from({ length: 65_536 }, (_, half) => half);
    const floats = scalarWireFormats.bf16.decode(new Uint8Array(halves.buffer), halves.length);
    const isNaNHalf = (half: number) => (half & 0x7fff) > 0x7f80;
    expect(new Uint16Array(encoded(format, floats).buffer)).toEqual(halves.map((half) => (isNaNHalf(half) ? 0x7fc0 : half)));
  });

  it('rounds ties to even, keeps the sign of zero, and goes to infinity beyond its largest number', () => {
    const unit = 2 ** -7;
    expect(Array.from(rounded(format, Float32Array.of(1 + unit / 2, 1 + 1.5 * unit, 1 + unit / 2 + 2 ** -23, -0, 3.4e38, -3.39e38, 2 ** -149))))
      .toEqual([1, 1 + 2 * unit, 1 + unit, -0, Infinity, -(2 ** 128 - 2 ** 120), 0]);
  });
});

describe('int8', () => {
  const format = kernels.wireFormats.int8;

  it('errs by less than a 126th of the largest magnitude of the block', () => {
    const values = randomFloats(32, 13).map((value) => Math.max(-1, Math.min(1, value)));
    rounded(format, values).forEach((value, index) => expect(Math.abs(value - (values[index] ?? 0))).toBeLessThan(1 / 126));
  });

  it('has the largest magnitude of a block in 64 to 127 units, and the bytes that the format says', () => {
    expect(encoded(format, Float32Array.of(1, -0.5, 0.0078125, 0.02, 0))).toEqual(Uint8Array.of(127 - 6, 64, -32 & 255, 0, 1, 0));
    expect(encoded(format, Float32Array.of(1.984375, 0))).toEqual(Uint8Array.of(127 - 6, 127, 0));
    expect(encoded(format, Float32Array.of(1.9921875, 0))).toEqual(Uint8Array.of(127 - 5, 64, 0));
  });

  it('makes a block with an infinity or a NaN all NaN, and no other', () => {
    const values = new Float32Array(96).fill(1);
    values[40] = Infinity;
    expect(Array.from(rounded(format, values))).toEqual(Array.from(values, (_, index) => (index >= 32 && index < 64 ? Number.NaN : 1)));
  });

  it('takes what is beyond its largest number for infinite', () => {
    const tie = 127.5 * 2 ** 121;
    expect(Array.from(rounded(format, Float32Array.of(-tie + 2 ** 104, 2 ** 127)))).toEqual([-127 * 2 ** 121, 2 ** 127]);
    expect(Array.from(rounded(format, Float32Array.of(-tie, 1)))).toEqual([Number.NaN, Number.NaN]);
  });
});
