/**
 * Blocks of 4,096 floats as 64 x 64 matrices M (row-major) of low rank: one step of power iteration from the factor of
 * the step before, as in PowerSGD (Vogels et al. 2019): P = M Q, P orthonormal, Q = M^T P, decoded P Q^T.
 *
 * P and Q are stored transposed: a row of 64 floats for each of their columns. An encoded block is P, then Q; the state
 * of a block is Q. What comes after the last whole block is encoded as it is.
 *
 * Magnitudes: P before it is made orthonormal, and Q in the state, count only as directions. Their columns are scaled by
 * powers of two, so that products of small or large gradients keep within float32. What exceeds it all the same, and what
 * was not finite, makes P or Q of its block not finite, and so what is decoded.
 */
import { larger, largestLane } from './bits';
import { sqrt } from './lanes';
import { combine, dot, multiply, multiplyTransposed, product, put, ROW_BYTES, SIDE } from './matrix';

const BLOCK_BYTES: usize = 16384;
const MAGNITUDE: i32 = 0x7fffffff;
const INFINITE: u32 = 0x7f800000;
/** Of a column whose largest magnitude was from 1 to 2: less is what rounding leaves of one that depends on those before it. */
const LEAST_SQUARE: f32 = 1e-12;

/** From -1 up to 1: the finaliser of MurmurHash3 (x86, 32-bit), its upper 24 bits. */
// @ts-ignore: decorator
@inline function initialEntry(element: u32): f32 {
  let hash = (element ^ (element >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return <f32>((<i32>((hash ^ (hash >> 16)) >> 8)) - 0x800000) * <f32>1.1920928955078125e-7;
}

function resetColumn(column: usize, index: i32): void {
  for (let entry = 0; entry < SIDE; entry++) store<f32>(column + (<usize>entry << 2), initialEntry(index * SIDE + entry));
}

/** The block, or with `isTaken` what remains of it, from `P Q^T`. */
// @ts-ignore: decorator
@inline function decodeBlock(block: usize, p: usize, rank: i32, isTaken: bool): void {
  const q = p + <usize>rank * ROW_BYTES;
  for (const end = block + BLOCK_BYTES; block < end; block += ROW_BYTES, p += 4) combine(block, p, ROW_BYTES, q, rank, isTaken);
}

// @ts-ignore: decorator
@inline function largestOf(column: usize): u32 {
  const magnitude = i32x4.splat(MAGNITUDE);
  let largest = i32x4.splat(0);
  for (let at: usize = 0; at < ROW_BYTES; at += 16) largest = larger(largest, v128.load(column + at), magnitude);
  return largestLane(largest);
}

/** The column times the power of two by which its largest magnitude, which has these bits, is from 1 to 2, if float32 has it. */
// @ts-ignore: decorator
@inline function scaleColumn(out: usize, column: usize, largest: u32): void {
  const factor = f32x4.splat(reinterpret<f32>(max(254 - <i32>(largest >> 23), 1) << 23));
  for (let at: usize = 0; at < ROW_BYTES; at += 16) v128.store(out + at, product(column + at, factor));
}

/** `column -= (column . unit) unit` */
// @ts-ignore: decorator
@inline function project(column: usize, unit: usize): void {
  const length = f32x4.splat(dot(column, unit));
  for (let at: usize = 0; at < ROW_BYTES; at += 16) put(column + at, product(unit + at, length), true);
}

/** To length 1, or to zeros where only rounding is left of it. Stays not finite. */
// @ts-ignore: decorator
@inline function normalise(column: usize): void {
  const square = dot(column, column);
  if (square < LEAST_SQUARE) {
    memory.fill(column, 0, ROW_BYTES);
    return;
  }
  const norm = f32x4.splat(sqrt<f32>(square));
  for (let at: usize = 0; at < ROW_BYTES; at += 16) v128.store(column + at, f32x4.div(v128.load(column + at), norm));
}

/** Modified Gram-Schmidt in the order of the columns, each projected twice (Giraud et al. 2005: "twice is enough"). */
function orthonormalise(factor: usize, rank: i32): void {
  const end = factor + <usize>rank * ROW_BYTES;
  for (let column = factor; column < end; column += ROW_BYTES) {
    scaleColumn(column, column, largestOf(column));
    for (let pass = 0; pass < 2; pass++) {
      for (let unit = factor; unit < column; unit += ROW_BYTES) project(column, unit);
    }
    normalise(column);
  }
}

/** What the next step starts from; a column that says no direction starts anew. */
// @ts-ignore: decorator
@inline function keepColumn(state: usize, column: usize, index: i32): void {
  const largest = largestOf(column);
  if (largest == 0 || largest >= INFINITE) resetColumn(state, index);
  else scaleColumn(state, column, largest);
}

function takeBlock(out: usize, block: usize, state: usize, rank: i32): void {
  const q = out + <usize>rank * ROW_BYTES;
  for (let at: usize = 0; at < q - out; at += ROW_BYTES) multiply(out + at, block, state + at);
  orthonormalise(out, rank);
  for (let index = 0; index < rank; index++) {
    const at = <usize>index * ROW_BYTES;
    multiplyTransposed(q + at, block, out + at);
    keepColumn(state + at, q + at, index);
  }
  decodeBlock(block, out, rank, true);
}

/** The state of all blocks; `bytes` are its own. */
export function resetPowerSgd(state: usize, bytes: usize, rank: i32): void {
  for (const end = state + bytes; state < end;) {
    for (let index = 0; index < rank; index++, state += ROW_BYTES) resetColumn(state, index);
  }
}

/** Moves what travels from the vector to `out`: leaves what was lost. `bytes` are those of the floats. */
export function takePowerSgd(out: usize, vector: usize, state: usize, bytes: usize, rank: i32): void {
  const factorBytes = <usize>rank * ROW_BYTES;
  const end = vector + bytes;
  for (; end - vector >= BLOCK_BYTES; vector += BLOCK_BYTES, state += factorBytes, out += 2 * factorBytes) takeBlock(out, vector, state, rank);
  memory.copy(out, vector, end - vector);
  memory.fill(vector, 0, end - vector);
}

/** `floats = encoded`; `bytes` are those of the floats. */
export function decodePowerSgd(floats: usize, encoded: usize, bytes: usize, rank: i32): void {
  const end = floats + bytes;
  for (; end - floats >= BLOCK_BYTES; floats += BLOCK_BYTES, encoded += 2 * <usize>rank * ROW_BYTES) decodeBlock(floats, encoded, rank, false);
  memory.copy(floats, encoded, end - floats);
}
