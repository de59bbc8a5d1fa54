/**
 * Blocks of 32 elements with one scale, a power of two: after a byte that says the scale come the elements, a byte each.
 * The last block may be shorter. The byte is an E8M0 of the OCP Microscaling (MX) formats, as are blocks of 32:
 * the scale is 2^(code - 127), and code 255 is a block that holds an infinity or a NaN.
 *
 * The scale is the smallest by which the block's largest magnitude rounds to at most 127. So that magnitude has 64 to 127
 * of it, and an encoded block is encoded to itself. Only below 2^-121 is the scale kept from being smaller, and above
 * 127.5 * 2^121 elements are cut to 127 * 2^121, the largest number that the format has.
 */
import { larger, LARGEST_FINITE, MAGNITUDE } from './bits';
import { add, clamp, mul, splat, sub } from './lanes';

const BLOCK_BYTES: usize = 128;
const NON_FINITE: i32 = 255;
const LARGEST_CODE: i32 = 248;
const LARGEST_ELEMENT: f32 = 127;
/** 1.5 * 2^23: adding it rounds a small number to an integer, ties to even, which the low bits of the sum then hold. */
const INTEGER: f32 = 12582912;
const INTEGER_BITS: i32 = 0x4b400000;

/** Of a block whose largest magnitude has these bits: up to 127.5 / 64 * 2^k by the scale 2^(k - 6), above by the next. */
// @ts-ignore: decorator
@inline function codeOf(largest: i32): i32 {
  return largest > LARGEST_FINITE ? NON_FINITE : min(max(((largest + 0x10000) >> 23) - 6, 0), LARGEST_CODE);
}

// @ts-ignore: decorator
@inline function scaleOf(code: i32): f32 {
  return reinterpret<f32>(code == NON_FINITE ? 0x7fc00000 : code == 0 ? 0x400000 : code << 23);
}

/** Of a code up to `LARGEST_CODE`. */
// @ts-ignore: decorator
@inline function inverseOf(code: i32): f32 {
  return reinterpret<f32>((254 - code) << 23);
}

/** The element as an integer in the low bits; exact but for the rounding, since scales are powers of two. */
// @ts-ignore: decorator
@inline function quantised<T>(value: T, inverse: T): T {
  return add<T>(clamp<T>(mul<T>(value, inverse), splat<T>(-LARGEST_ELEMENT), splat<T>(LARGEST_ELEMENT)), splat<T>(INTEGER));
}

/** What encoding and decoding make of a number in a finite block. */
// @ts-ignore: decorator
@inline function rounded<T>(value: T, inverse: T, scale: T): T {
  return mul<T>(sub<T>(quantised<T>(value, inverse), splat<T>(INTEGER)), scale);
}

// @ts-ignore: decorator
@inline function largestLane(lanes: v128): i32 {
  return max(max(i32x4.extract_lane(lanes, 0), i32x4.extract_lane(lanes, 1)), max(i32x4.extract_lane(lanes, 2), i32x4.extract_lane(lanes, 3)));
}

/** The bits of the largest magnitude. */
// @ts-ignore: decorator
@inline function largestOf(source: usize, bytes: usize): i32 {
  let lanes = i32x4.splat(0);
  let at: usize = 0;
  for (const end = bytes & ~15; at < end; at += 16) lanes = larger(lanes, v128.load(source + at));
  let largest = largestLane(lanes);
  for (; at < bytes; at += 4) largest = max(largest, load<i32>(source + at) & MAGNITUDE);
  return largest;
}

/** `into += other`, and the bits of the largest magnitude. */
// @ts-ignore: decorator
@inline function largestOfSum(into: usize, other: usize, bytes: usize): i32 {
  let lanes = i32x4.splat(0);
  let at: usize = 0;
  for (const end = bytes & ~15; at < end; at += 16) {
    const sum = f32x4.add(v128.load(into + at), v128.load(other + at));
    v128.store(into + at, sum);
    lanes = larger(lanes, sum);
  }
  let largest = largestLane(lanes);
  for (; at < bytes; at += 4) {
    const sum = load<f32>(into + at) + load<f32>(other + at);
    store<f32>(into + at, sum);
    largest = max(largest, reinterpret<i32>(sum) & MAGNITUDE);
  }
  return largest;
}

// @ts-ignore: decorator
@inline function packed(first: v128, second: v128, third: v128, fourth: v128): v128 {
  const zero = i32x4.splat(INTEGER_BITS);
  return i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(i32x4.sub(first, zero), i32x4.sub(second, zero)),
    i16x8.narrow_i32x4_s(i32x4.sub(third, zero), i32x4.sub(fourth, zero)),
  );
}

/** The elements of a finite block. */
// @ts-ignore: decorator
@inline function storeElements(out: usize, source: usize, bytes: usize, code: i32): void {
  const inverse = inverseOf(code);
  const inverses = f32x4.splat(inverse);
  let at: usize = 0;
  for (const end = bytes & ~63; at < end; at += 64) {
    v128.store(out + (at >> 2), packed(
      quantised<v128>(v128.load(source + at), inverses),
      quantised<v128>(v128.load(source + at + 16), inverses),
      quantised<v128>(v128.load(source + at + 32), inverses),
      quantised<v128>(v128.load(source + at + 48), inverses),
    ));
  }
  for (; at < bytes; at += 4) {
    const element = quantised<f32>(load<f32>(source + at), inverse);
    store<i8>(out + (at >> 2), <i8>(reinterpret<i32>(element) - INTEGER_BITS));
  }
}

/** A block's bytes; those of a block that is not finite are 0 after the first. */
// @ts-ignore: decorator
@inline function storeBlock(out: usize, source: usize, bytes: usize, code: i32): void {
  store<u8>(out, <u8>code);
  if (code == NON_FINITE) memory.fill(out + 1, 0, bytes >> 2);
  else storeElements(out + 1, source, bytes, code);
}

// @ts-ignore: decorator
@inline function roundAt<T>(at: usize, inverse: T, scale: T): void {
  store<T>(at, rounded<T>(load<T>(at), inverse, scale));
}

// @ts-ignore: decorator
@inline function roundBlock(vector: usize, bytes: usize, code: i32): void {
  let at = vector;
  const end = vector + bytes;
  if (code == NON_FINITE) {
    for (; at < end; at += 4) store<i32>(at, 0x7fc00000);
    return;
  }
  const scale = scaleOf(code), inverse = inverseOf(code);
  const scales = f32x4.splat(scale), inverses = f32x4.splat(inverse);
  for (const whole = vector + (bytes & ~15); at < whole; at += 16) roundAt<v128>(at, inverses, scales);
  for (; at < end; at += 4) roundAt<f32>(at, inverse, scale);
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

// @ts-ignore: decorator
@inline function leaveResidualAt<T>(at: usize, inverse: T, scale: T): void {
  const sum = load<T>(at);
  store<T>(at, sub<T>(sum, rounded<T>(sum, inverse, scale)));
}

/** `residual -= int8(residual)`; 0 in a block that is not finite. */
// @ts-ignore: decorator
@inline function leaveResidual(residual: usize, bytes: usize, code: i32): void {
  let at = residual;
  const end = residual + bytes;
  if (code == NON_FINITE) return memory.fill(residual, 0, bytes);
  const scale = scaleOf(code), inverse = inverseOf(code);
  const scales = f32x4.splat(scale), inverses = f32x4.splat(inverse);
  for (const whole = residual + (bytes & ~15); at < whole; at += 16) leaveResidualAt<v128>(at, inverses, scales);
  for (; at < end; at += 4) leaveResidualAt<f32>(at, inverse, scale);
}

/** `out = int8(floats)`; `bytes` are those of the floats. */
export function encodeInt8(out: usize, floats: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += BLOCK_BYTES, out += 33) {
    const extent = min(BLOCK_BYTES, bytes - at);
    storeBlock(out, floats + at, extent, codeOf(largestOf(floats + at, extent)));
  }
}

/** `sum = floats + residual; out = int8(sum); residual = sum - out`, and 0 throughout a block that is not finite. */
export function encodeInt8Residual(out: usize, floats: usize, residual: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += BLOCK_BYTES, out += 33) {
    const extent = min(BLOCK_BYTES, bytes - at);
    const code = codeOf(largestOfSum(residual + at, floats + at, extent));
    storeBlock(out, residual + at, extent, code);
    leaveResidual(residual + at, extent, code);
  }
}

/** `floats = encoded`; `bytes` are those of the floats. */
export function decodeInt8(floats: usize, encoded: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += BLOCK_BYTES, encoded += 33) {
    decodeBlock(floats + at, encoded, min(BLOCK_BYTES, bytes - at));
  }
}

/** `vector = int8(vector)` */
export function roundInt8(vector: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += BLOCK_BYTES) {
    const extent = min(BLOCK_BYTES, bytes - at);
    roundBlock(vector + at, extent, codeOf(largestOf(vector + at, extent)));
  }
}

/** `into = int8(into + other)` */
export function addRoundedInt8(into: usize, other: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += BLOCK_BYTES) {
    const extent = min(BLOCK_BYTES, bytes - at);
    roundBlock(into + at, extent, codeOf(largestOfSum(into + at, other + at, extent)));
  }
}
