/**
 * Blocks of 32 elements with one scale, a power of two: after a byte that says the scale come the elements, a byte each.
 * The last block may be shorter. The byte is an E8M0 of the OCP Microscaling (MX) formats, as are blocks of 32:
 * the scale is 2^(code - 127), and code 255 is a block that holds what is no number.
 *
 * The scale is the smallest, from 2^-127 on, by which the block's largest magnitude rounds to at most 127. It then has 64
 * to 127 of it, so an encoded block is encoded to itself. From 127.5 * 2^121 on, numbers are beyond the format's largest.
 */
import { larger, largestLane } from './bits';
import { add, held, mul, sub } from './lanes';

/** Floats. */
const BLOCK_BYTES: usize = 128;
const ENCODED_BLOCK_BYTES: usize = 33;
const NON_FINITE: i32 = 255;
const LARGEST_CODE: i32 = 248;
const MAGNITUDE: i32 = 0x7fffffff;
const QUIET_NAN: i32 = 0x7fc00000;
/** 1.5 * 2^23: adding it rounds a small number to an integer, ties to even, which is the sum's bits less these. */
const INTEGER: f32 = 12582912;
const INTEGER_BITS: i32 = 0x4b400000;

/** Of a block whose largest magnitude has these bits: up to 127.5 / 64 * 2^k by the scale 2^(k - 6), above by the next. */
// @ts-ignore: decorator
@inline function codeOf(largest: u32): i32 {
  const code = max(<i32>((largest + 0x10000) >> 23) - 6, 0);
  return code > LARGEST_CODE ? NON_FINITE : code;
}

// @ts-ignore: decorator
@inline function scaleOf(code: i32): f32 {
  return reinterpret<f32>(code == NON_FINITE ? QUIET_NAN : code == 0 ? 0x400000 : code << 23);
}

/** Of a code up to `LARGEST_CODE`. */
// @ts-ignore: decorator
@inline function inverseOf(code: i32): f32 {
  return reinterpret<f32>((254 - code) << 23);
}

/** The bits of the largest magnitude. */
// @ts-ignore: decorator
@inline function largestOf(source: usize, bytes: usize, magnitude: v128): u32 {
  let low = i32x4.splat(0), high = i32x4.splat(0);
  let at = source;
  for (const end = source + (bytes & ~63); at < end; at += 64) {
    low = larger(larger(low, v128.load(at), magnitude), v128.load(at + 16), magnitude);
    high = larger(larger(high, v128.load(at + 32), magnitude), v128.load(at + 48), magnitude);
  }
  let largest = largestLane(i32x4.max_s(low, high));
  for (const end = source + bytes; at < end; at += 4) largest = max(largest, load<u32>(at) & MAGNITUDE);
  return largest;
}

// @ts-ignore: decorator
@inline function sumAt<T>(into: usize, other: usize, offset: usize): T {
  const sum = add<T>(load<T>(into + offset), load<T>(other + offset));
  store<T>(into + offset, sum);
  return sum;
}

/** `into += other`, and the bits of the largest magnitude. */
// @ts-ignore: decorator
@inline function largestOfSum(into: usize, other: usize, bytes: usize, magnitude: v128): u32 {
  let low = i32x4.splat(0), high = i32x4.splat(0);
  let at: usize = 0;
  for (const end = bytes & ~63; at < end; at += 64) {
    low = larger(larger(low, sumAt<v128>(into, other, at), magnitude), sumAt<v128>(into, other, at + 16), magnitude);
    high = larger(larger(high, sumAt<v128>(into, other, at + 32), magnitude), sumAt<v128>(into, other, at + 48), magnitude);
  }
  let largest = largestLane(i32x4.max_s(low, high));
  for (; at < bytes; at += 4) largest = max(largest, reinterpret<u32>(sumAt<f32>(into, other, at)) & MAGNITUDE);
  return largest;
}

/** The number, in units of the scale, as an integer added to `INTEGER`; exact but for the rounding, as scales are powers of two. */
// @ts-ignore: decorator
@inline function quantised<T>(value: T, inverse: T, integer: T): T {
  return add<T>(mul<T>(value, inverse), integer);
}

// @ts-ignore: decorator
@inline function multiple<T>(element: T, scale: T, integer: T): T {
  return mul<T>(sub<T>(element, integer), scale);
}

/** 16 elements as bytes. */
// @ts-ignore: decorator
@inline function packed(first: v128, second: v128, third: v128, fourth: v128, integer: v128): v128 {
  return i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(i32x4.sub(first, integer), i32x4.sub(second, integer)),
    i16x8.narrow_i32x4_s(i32x4.sub(third, integer), i32x4.sub(fourth, integer)),
  );
}

/** A block's bytes. One that is not finite has zeros after the first. */
// @ts-ignore: decorator
@inline function storeBlock(out: usize, source: usize, bytes: usize, code: i32, integer: v128): void {
  store<u8>(out, <u8>code);
  const elements = out + 1;
  if (code == NON_FINITE) {
    memory.fill(elements, 0, bytes >> 2);
    return;
  }
  const inverse = inverseOf(code);
  const inverses = f32x4.splat(inverse);
  let at: usize = 0;
  for (const end = bytes & ~63; at < end; at += 64) {
    v128.store(elements + (at >> 2), packed(
      quantised<v128>(v128.load(source + at), inverses, integer),
      quantised<v128>(v128.load(source + at + 16), inverses, integer),
      quantised<v128>(v128.load(source + at + 32), inverses, integer),
      quantised<v128>(v128.load(source + at + 48), inverses, integer), integer,
    ));
  }
  for (; at < bytes; at += 4) {
    store<i8>(elements + (at >> 2), <i8>(reinterpret<i32>(quantised<f32>(load<f32>(source + at), inverse, INTEGER)) - INTEGER_BITS));
  }
}

// @ts-ignore: decorator
@inline function roundAt<T>(at: usize, inverse: T, scale: T, integer: T): void {
  store<T>(at, multiple<T>(quantised<T>(load<T>(at), inverse, integer), scale, integer));
}

// @ts-ignore: decorator
@inline function roundBlock(vector: usize, bytes: usize, code: i32, integer: v128): void {
  let at = vector;
  const end = vector + bytes;
  if (code == NON_FINITE) {
    for (; at < end; at += 4) store<i32>(at, QUIET_NAN);
    return;
  }
  const scale = scaleOf(code), inverse = inverseOf(code);
  const scales = f32x4.splat(scale), inverses = f32x4.splat(inverse);
  for (const whole = vector + (bytes & ~63); at < whole; at += 64) {
    roundAt<v128>(at, inverses, scales, integer);
    roundAt<v128>(at + 16, inverses, scales, integer);
    roundAt<v128>(at + 32, inverses, scales, integer);
    roundAt<v128>(at + 48, inverses, scales, integer);
  }
  for (; at < end; at += 4) roundAt<f32>(at, inverse, scale, INTEGER);
}

// @ts-ignore: decorator
@inline function decodeBlock(floats: usize, encoded: usize, bytes: usize): void {
  const scale = scaleOf(load<u8>(encoded));
  const scales = f32x4.splat(scale);
  const elements = encoded + 1;
  let at: usize = 0;
  for (const end = bytes & ~31; at < end; at += 32) {
    const shorts = v128.load8x8_s(elements + (at >> 2));
    v128.store(floats + at, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(shorts)), scales));
    v128.store(floats + at + 16, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(shorts)), scales));
  }
  for (; at < bytes; at += 4) store<f32>(floats + at, <f32>load<i8>(elements + (at >> 2)) * scale);
}

/** `out = int8(floats)`; `bytes` are those of the floats. */
export function encodeInt8(out: usize, floats: usize, bytes: usize): void {
  const magnitude = held(MAGNITUDE, bytes), integer = held(INTEGER_BITS, bytes);
  for (let at: usize = 0; at < bytes; at += BLOCK_BYTES, out += ENCODED_BLOCK_BYTES) {
    const extent = min(BLOCK_BYTES, bytes - at);
    storeBlock(out, floats + at, extent, codeOf(largestOf(floats + at, extent, magnitude)), integer);
  }
}

/** `floats = encoded`; `bytes` are those of the floats. */
export function decodeInt8(floats: usize, encoded: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += BLOCK_BYTES, encoded += ENCODED_BLOCK_BYTES) {
    decodeBlock(floats + at, encoded, min(BLOCK_BYTES, bytes - at));
  }
}

/** `vector = int8(vector)` */
export function roundInt8(vector: usize, bytes: usize): void {
  const magnitude = held(MAGNITUDE, bytes), integer = held(INTEGER_BITS, bytes);
  for (let at: usize = 0; at < bytes; at += BLOCK_BYTES) {
    const extent = min(BLOCK_BYTES, bytes - at);
    roundBlock(vector + at, extent, codeOf(largestOf(vector + at, extent, magnitude)), integer);
  }
}

/** `into = int8(into + other)` */
export function addRoundedInt8(into: usize, other: usize, bytes: usize): void {
  const magnitude = held(MAGNITUDE, bytes), integer = held(INTEGER_BITS, bytes);
  for (let at: usize = 0; at < bytes; at += BLOCK_BYTES) {
    const extent = min(BLOCK_BYTES, bytes - at);
    roundBlock(into + at, extent, codeOf(largestOfSum(into + at, other + at, extent, magnitude)), integer);
  }
}
