import { larger } from './bits';
import { held } from './lanes';

const LARGEST_FINITE: i32 = 0x7f7fffff;
const MAGNITUDE: i32 = 0x7fffffff;
/** Odd, so that multiplying loses nothing (MurmurHash3's first finaliser constant). */
const FACTOR: i32 = 0x85ebca6b;
const NON_FINITE: f64 = 4294967296;

// @ts-ignore: decorator
@inline function mixLanes(hash: v128, value: v128, factor: v128): v128 {
  const product = i32x4.mul(v128.xor(hash, value), factor);
  return v128.xor(product, i32x4.shr_u(product, 15));
}

// @ts-ignore: decorator
@inline function mix(hash: u32, value: i32): u32 {
  const product: u32 = (hash ^ value) * FACTOR;
  return product ^ (product >> 15);
}

// @ts-ignore: decorator
@inline function foldLanes(hash: u32, lanes: v128): u32 {
  let folded = mix(hash, i32x4.extract_lane(lanes, 0));
  folded = mix(folded, i32x4.extract_lane(lanes, 1));
  folded = mix(folded, i32x4.extract_lane(lanes, 2));
  return mix(folded, i32x4.extract_lane(lanes, 3));
}

/**
 * A 32-bit digest of the bits, plus 2^32 where one of them is an infinity or a NaN. Lane `k` of 16 takes in the elements
 * `k, k + 16, ...` of the whole turns by `h = (h ^ x) * FACTOR; h ^= h >>> 15`; the lanes, then what remains, are taken
 * in by the same formula in order. Every turn is a bijection, so one flipped bit always changes the digest; zeros have 0.
 */
export function scan(vector: usize, bytes: usize): f64 {
  const factor = held(FACTOR, bytes), magnitude = held(MAGNITUDE, bytes);
  let hashA = i32x4.splat(0), hashB = i32x4.splat(0), hashC = i32x4.splat(0), hashD = i32x4.splat(0);
  let largestA = i32x4.splat(0), largestB = i32x4.splat(0);
  let at = vector;
  for (const end = vector + (bytes & ~63); at < end; at += 64) {
    const a = v128.load(at), b = v128.load(at + 16), c = v128.load(at + 32), d = v128.load(at + 48);
    hashA = mixLanes(hashA, a, factor);
    hashB = mixLanes(hashB, b, factor);
    hashC = mixLanes(hashC, c, factor);
    hashD = mixLanes(hashD, d, factor);
    largestA = larger(larger(largestA, a, magnitude), c, magnitude);
    largestB = larger(larger(largestB, b, magnitude), d, magnitude);
  }
  let hash = foldLanes(foldLanes(foldLanes(foldLanes(0, hashA), hashB), hashC), hashD);
  let nonFinite = v128.any_true(i32x4.gt_s(i32x4.max_s(largestA, largestB), i32x4.splat(LARGEST_FINITE)));
  for (const end = vector + bytes; at < end; at += 4) {
    const value = load<i32>(at);
    hash = mix(hash, value);
    if ((value & MAGNITUDE) > LARGEST_FINITE) nonFinite = true;
  }
  return <f64>hash + (nonFinite ? NON_FINITE : 0);
}

/** The index of the first infinity or NaN, or -1. */
export function firstNonFinite(vector: usize, bytes: usize): i32 {
  for (let at: usize = 0; at < bytes; at += 4) {
    if ((load<i32>(vector + at) & MAGNITUDE) > LARGEST_FINITE) return <i32>(at >> 2);
  }
  return -1;
}
