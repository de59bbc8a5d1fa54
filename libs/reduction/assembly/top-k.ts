/**
 * Of each block of 4,096 floats the `kept` of largest magnitude (Stich et al. 2018, Sparsified SGD with Memory); of equal
 * ones those that come first. An encoded block is these floats in the order of their indices, then the indices as uint16.
 * What comes after the last whole block is encoded as it is.
 *
 * Magnitudes are compared as integers, the bits but the sign: so what is not finite is largest, and travels.
 */
import { larger, largestLane } from './bits';
import { held } from './lanes';

const BLOCK: i32 = 4096;
const BLOCK_BYTES: usize = 16384;
const INDEX_BYTES: usize = 2;
const MAGNITUDE: i32 = 0x7fffffff;
const QUIET_NAN: i32 = 0x7fc00000;
/** Half an octave, in units of magnitudes' bits: how far below the largest the search looks first. */
const FIRST_STEP: u32 = 0x400000;
const LAST_STEP: u32 = 0x40000000;

// @ts-ignore: decorator
@inline function encodedBlockBytes(kept: i32): usize {
  return <usize>kept * (4 + INDEX_BYTES);
}

// @ts-ignore: decorator
@inline function largestOf(block: usize, magnitude: v128): i32 {
  let low = i32x4.splat(0), high = i32x4.splat(0);
  for (let at = block, end = block + BLOCK_BYTES; at < end; at += 64) {
    low = larger(larger(low, v128.load(at), magnitude), v128.load(at + 16), magnitude);
    high = larger(larger(high, v128.load(at + 32), magnitude), v128.load(at + 48), magnitude);
  }
  return largestLane(i32x4.max_s(low, high));
}

/** All bits of the lanes whose magnitude is above the limit. */
// @ts-ignore: decorator
@inline function isAbove(at: usize, limits: v128, magnitude: v128): v128 {
  return i32x4.gt_s(v128.and(v128.load(at), magnitude), limits);
}

/** How many magnitudes are above the limit. */
function countAbove(block: usize, limit: i32, magnitude: v128): i32 {
  const limits = i32x4.splat(limit);
  let a = i32x4.splat(0), b = i32x4.splat(0), c = i32x4.splat(0), d = i32x4.splat(0);
  for (let at = block, end = block + BLOCK_BYTES; at < end; at += 64) {
    a = i32x4.sub(a, isAbove(at, limits, magnitude));
    b = i32x4.sub(b, isAbove(at + 16, limits, magnitude));
    c = i32x4.sub(c, isAbove(at + 32, limits, magnitude));
    d = i32x4.sub(d, isAbove(at + 48, limits, magnitude));
  }
  const sums = i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
  return i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
}

/** 16 bits, of the 16 elements from `at` on: which magnitudes are above the limit. */
// @ts-ignore: decorator
@inline function maskAbove(at: usize, limits: v128, magnitude: v128): i32 {
  return i8x16.bitmask(i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(isAbove(at, limits, magnitude), isAbove(at + 16, limits, magnitude)),
    i16x8.narrow_i32x4_s(isAbove(at + 32, limits, magnitude), isAbove(at + 48, limits, magnitude)),
  ));
}

/** Moves all above `high`, and of those above `low` the first `ties`, which make up `kept`. */
function moveAbove(out: usize, block: usize, kept: i32, low: i32, high: i32, ties: i32, magnitude: v128): void {
  const limits = i32x4.splat(low);
  let indices = out + (<usize>kept << 2);
  for (let at: usize = 0; at < BLOCK_BYTES; at += 64) {
    for (let mask = maskAbove(block + at, limits, magnitude); mask != 0; mask &= mask - 1) {
      const offset = at + (<usize>ctz(mask) << 2);
      const bits = load<i32>(block + offset);
      if ((bits & MAGNITUDE) <= high && --ties < 0) continue;
      store<i32>(out, bits);
      store<u16>(indices, <u16>(offset >> 2));
      store<i32>(block + offset, 0);
      out += 4;
      indices += INDEX_BYTES;
    }
  }
}

/**
 * Moves between limits of which `kept` or more magnitudes are above the lower, fewer above the higher: it narrows them
 * until just `kept` are above the lower or no magnitude lies between. The limits are mostly near the largest magnitude,
 * so it first goes down from there in steps that double.
 */
function takeBlock(out: usize, block: usize, kept: i32, magnitude: v128): void {
  let low: i32 = -1, high = largestOf(block, magnitude);
  let aboveLow = BLOCK, aboveHigh = 0;
  for (let step = FIRST_STEP; aboveLow != kept && low + 1 < high; step = min(step << 1, LAST_STEP)) {
    const limit = low < 0 && <u32>high > step ? high - <i32>step : <i32>(<u32>(low + high) >> 1);
    const above = countAbove(block, limit, magnitude);
    if (above < kept) {
      high = limit;
      aboveHigh = above;
    } else {
      low = limit;
      aboveLow = above;
    }
  }
  moveAbove(out, block, kept, low, high, kept - aboveHigh, magnitude);
}

/** An index beyond the block, which only a fault can write, makes the first element NaN; nothing is written elsewhere. */
function decodeBlock(block: usize, encoded: usize, kept: i32): void {
  memory.fill(block, 0, BLOCK_BYTES);
  const indices = encoded + (<usize>kept << 2);
  let seen: u32 = 0;
  for (let at: usize = 0, end = <usize>kept * INDEX_BYTES; at < end; at += INDEX_BYTES) {
    const index = <u32>load<u16>(indices + at);
    seen |= index;
    store<i32>(block + (<usize>(index & (BLOCK - 1)) << 2), load<i32>(encoded + (at << 1)));
  }
  if (seen >= <u32>BLOCK) store<i32>(block, QUIET_NAN);
}

/** Moves what travels from the vector to `out`; zeros take its place. `bytes` are those of the floats. */
export function takeTopK(out: usize, vector: usize, bytes: usize, kept: i32): void {
  const magnitude = held(MAGNITUDE, bytes);
  const end = vector + bytes;
  for (; end - vector >= BLOCK_BYTES; vector += BLOCK_BYTES, out += encodedBlockBytes(kept)) takeBlock(out, vector, kept, magnitude);
  memory.copy(out, vector, end - vector);
  memory.fill(vector, 0, end - vector);
}

/** `floats = encoded`; `bytes` are those of the floats. */
export function decodeTopK(floats: usize, encoded: usize, bytes: usize, kept: i32): void {
  const end = floats + bytes;
  for (; end - floats >= BLOCK_BYTES; floats += BLOCK_BYTES, encoded += encodedBlockBytes(kept)) decodeBlock(floats, encoded, kept);
  memory.copy(floats, encoded, end - floats);
}
