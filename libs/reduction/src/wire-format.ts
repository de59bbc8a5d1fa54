import assert from 'node:assert/strict';
import type { RoundedWire, WireConfig } from '@lockstep/core';
import { compressedBytes } from './compressor.ts';
import { isCompressed } from './feedback-windows.ts';
import type { KernelExports } from './kernel-module.ts';
import type { Bytes, Vector } from './vector.ts';

/**
 * How float32 numbers travel. Encoding rounds to the nearest number that the format has, ties to even, and what is
 * decoded is encoded to itself. So where each sum of the tree is rounded (`round` a micro-batch's gradient, `merge` two
 * partials), every partial travels without loss, and the result does not depend on which of them do.
 * Infinities and NaNs stay visible as such.
 */
export interface WireFormat {
  readonly name: RoundedWire;
  /** What else a receipt must say of it. */
  readonly parameters: Readonly<Record<string, number | string>>;
  /** A vector may be cut at multiples of so many elements: its pieces have the bytes of the whole. */
  readonly blockLength: number;
  /** Bytes of `length` encoded elements. */
  bytesFor(length: number): number;
  /** `out = floats`, rounded. */
  encode(floats: Vector, out: Bytes): void;
  /** Exact. An element that was not finite is not; in `int8` its whole block is NaN. */
  decode(bytes: Bytes, out: Vector): void;
  /** In place what encoding and decoding make of it. */
  round(vector: Vector): void;
  /** `into = into + other`, rounded: a tree node's sum from those of its children. */
  merge(into: Vector, other: Vector): void;
}

/** `int8`: elements of one scale. */
const BLOCK = 32;

const BYTES_FOR: Readonly<Record<RoundedWire, (length: number) => number>> = {
  float32: (length) => length * 4,
  bf16: (length) => length * 2,
  int8: (length) => length + Math.ceil(length / BLOCK),
};

/**
 * Bytes of the first `length` elements of a vector on the wire, of which the first `trainable` are optimized and travel
 * in a format; the buffers behind them are float32. So a range's bytes lie from those of its start to those of its end.
 */
export function encodedBytes(wire: WireConfig, trainable: number): (length: number) => number {
  const bytesFor = isCompressed(wire) ? (length: number) => compressedBytes(wire, length) : BYTES_FOR[wire];
  return (length) => bytesFor(Math.min(length, trainable)) + BYTES_FOR.float32(Math.max(0, length - trainable));
}

export function createWireFormats(kernels: KernelExports): Readonly<Record<RoundedWire, WireFormat>> {
  return {
    float32: createFormat({ name: 'float32', parameters: {}, blockLength: 1, bytesFor: BYTES_FOR.float32 }, float32Of(kernels)),
    bf16: createFormat({ name: 'bf16', parameters: {}, blockLength: 1, bytesFor: BYTES_FOR.bf16 }, {
      encode: kernels.encodeBf16, decode: kernels.decodeBf16,
      round: kernels.roundBf16, addRounded: kernels.addRoundedBf16,
    }),
    int8: createFormat({
      name: 'int8', parameters: { block: BLOCK, scale: 'power of two' }, blockLength: BLOCK,
      bytesFor: BYTES_FOR.int8,
    }, {
      encode: kernels.encodeInt8, decode: kernels.decodeInt8,
      round: kernels.roundInt8, addRounded: kernels.addRoundedInt8,
    }),
  };
}

/** Byte offsets in kernel memory; `bytes` are those of the floats. */
interface FormatKernels {
  encode(out: number, floats: number, bytes: number): void;
  decode(floats: number, encoded: number, bytes: number): void;
  round(vector: number, bytes: number): void;
  addRounded(into: number, other: number, bytes: number): void;
}

function float32Of(kernels: KernelExports): FormatKernels {
  return {
    encode: kernels.copy,
    decode: kernels.copy,
    round: () => undefined,
    addRounded: kernels.add,
  };
}

function createFormat(description: Pick<WireFormat, 'name' | 'parameters' | 'blockLength' | 'bytesFor'>, kernels: FormatKernels): WireFormat {
  return {
    ...description,
    encode(floats, out) {
      assert.equal(out.length, description.bytesFor(floats.length));
      kernels.encode(out.byteOffset, floats.byteOffset, floats.data.byteLength);
    },
    decode(bytes, out) {
      assert.equal(bytes.length, description.bytesFor(out.length));
      kernels.decode(out.byteOffset, bytes.byteOffset, out.data.byteLength);
    },
    round: ({ byteOffset, data }) => kernels.round(byteOffset, data.byteLength),
    merge(into, other) {
      assert.equal(other.length, into.length);
      kernels.addRounded(into.byteOffset, other.byteOffset, into.data.byteLength);
    },
  };
}
