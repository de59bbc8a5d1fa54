import { add, held } from './lanes';

/** Any NaN becomes this one, so that encoded bytes do not depend on a processor's choice of payload. */
const QUIET_NAN: i32 = 0x7fc00000;
/** One less than a tie, in the bits that a bfloat16 has not: with the last bit that it has, ties go to even. */
const ALMOST_HALF: i32 = 0x7fff;

/**
 * The nearest bfloat16 (the upper half of a float32), ties to even, as a float32. Beyond the largest lies infinity.
 * The constants are bits in the shape of floats.
 */
// @ts-ignore: decorator
@inline function rounded<T>(value: T, almostHalf: T, quietNaN: T): T {
  // @ts-ignore: one branch is compiled
  if (isVector<T>()) {
    const odd = i32x4.shr_u(i32x4.shl(value, 15), 31);
    const bits = i32x4.shr_u(i32x4.add(value, i32x4.add(odd, almostHalf)), 16);
    // @ts-ignore: one branch is compiled
    return v128.bitselect(quietNaN, i32x4.shl(bits, 16), f32x4.ne(value, value));
  // @ts-ignore: one branch is compiled
  } else {
    const bits = reinterpret<i32>(value);
    const sum = bits + reinterpret<i32>(almostHalf) + ((bits >> 16) & 1);
    // @ts-ignore: one branch is compiled
    return value != value ? quietNaN : reinterpret<f32>((sum >> 16) << 16);
  }
}

// @ts-ignore: decorator
@inline function storeHalves(out: usize, low: v128, high: v128): void {
  v128.store(out, i16x8.narrow_i32x4_u(i32x4.shr_u(low, 16), i32x4.shr_u(high, 16)));
}

// @ts-ignore: decorator
@inline function storeHalf(out: usize, value: f32): void {
  store<u16>(out, <u16>(reinterpret<u32>(value) >> 16));
}

/** `out = bf16(floats)`; `bytes` are those of the floats. */
export function encodeBf16(out: usize, floats: usize, bytes: usize): void {
  const almostHalf = held(ALMOST_HALF, bytes), quietNaN = held(QUIET_NAN, bytes);
  let at: usize = 0;
  for (const end = bytes & ~63; at < end; at += 64) {
    const from = floats + at, to = out + (at >> 1);
    storeHalves(to, rounded<v128>(v128.load(from), almostHalf, quietNaN), rounded<v128>(v128.load(from + 16), almostHalf, quietNaN));
    storeHalves(to + 16, rounded<v128>(v128.load(from + 32), almostHalf, quietNaN), rounded<v128>(v128.load(from + 48), almostHalf, quietNaN));
  }
  for (; at < bytes; at += 4) storeHalf(out + (at >> 1), rounded<f32>(load<f32>(floats + at), reinterpret<f32>(ALMOST_HALF), reinterpret<f32>(QUIET_NAN)));
}

/** `floats = encoded`, which is exact; `bytes` are those of the floats. */
export function decodeBf16(floats: usize, encoded: usize, bytes: usize): void {
  let at: usize = 0;
  for (const end = bytes & ~31; at < end; at += 32) {
    const from = encoded + (at >> 1);
    v128.store(floats + at, i32x4.shl(v128.load16x4_u(from), 16));
    v128.store(floats + at + 16, i32x4.shl(v128.load16x4_u(from + 8), 16));
  }
  for (; at < bytes; at += 4) store<u32>(floats + at, <u32>load<u16>(encoded + (at >> 1)) << 16);
}

// @ts-ignore: decorator
@inline function roundAt<T>(at: usize, almostHalf: T, quietNaN: T): void {
  store<T>(at, rounded<T>(load<T>(at), almostHalf, quietNaN));
}

/** `vector = bf16(vector)` */
export function roundBf16(vector: usize, bytes: usize): void {
  const almostHalf = held(ALMOST_HALF, bytes), quietNaN = held(QUIET_NAN, bytes);
  let at = vector;
  for (const end = vector + (bytes & ~31); at < end; at += 32) {
    roundAt<v128>(at, almostHalf, quietNaN);
    roundAt<v128>(at + 16, almostHalf, quietNaN);
  }
  for (const end = vector + bytes; at < end; at += 4) roundAt<f32>(at, reinterpret<f32>(ALMOST_HALF), reinterpret<f32>(QUIET_NAN));
}

// @ts-ignore: decorator
@inline function addRoundedAt<T>(into: usize, other: usize, offset: usize, almostHalf: T, quietNaN: T): void {
  store<T>(into + offset, rounded<T>(add<T>(load<T>(into + offset), load<T>(other + offset)), almostHalf, quietNaN));
}

/** `into = bf16(into + other)` */
export function addRoundedBf16(into: usize, other: usize, bytes: usize): void {
  const almostHalf = held(ALMOST_HALF, bytes), quietNaN = held(QUIET_NAN, bytes);
  let at: usize = 0;
  for (const end = bytes & ~31; at < end; at += 32) {
    addRoundedAt<v128>(into, other, at, almostHalf, quietNaN);
    addRoundedAt<v128>(into, other, at + 16, almostHalf, quietNaN);
  }
  for (; at < bytes; at += 4) addRoundedAt<f32>(into, other, at, reinterpret<f32>(ALMOST_HALF), reinterpret<f32>(QUIET_NAN));
}
