import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { narrow, widenInto, type ElementType } from './element-types.ts';

function widen(type: ElementType, bytes: Uint8Array<ArrayBuffer>, length: number): Float32Array {
  const values = new Float32Array(length);
  widenInto(type, bytes, values);
  return values;
}

describe('narrow', () => {
  it.each(['F32', 'F16', 'BF16'] as const)('gives back the bits that %s was widened from', (type) => {
    const size = type === 'F32' ? 4 : 2;
    fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bits) => {
      const bytes = new Uint8Array(bits);
      const values = widen(type, bytes, bytes.length / size);
      const back = narrow(type, values);
      values.forEach((value, index) => {
        if (!Number.isNaN(value)) expect(back.subarray(index * size, (index + 1) * size)).toEqual(bytes.subarray(index * size, (index + 1) * size));
      });
    }));
  });

  it('rounds to the nearest bfloat16, ties to even, and keeps NaN and infinity', () => {
    const values = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -0, 3.4e38, NaN, -Infinity);
    expect([...new Uint16Array(narrow('BF16', values).buffer)]).toEqual([0x3f80, 0x3f82, 0x3f81, 0x8000, 0x7f80, 0x7fc0, 0xff80]);
  });
});
