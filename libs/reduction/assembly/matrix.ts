/** Sums of products over rows of 64 floats, in a fixed order: a 64 x 64 matrix is 64 of them, one after the other. */

export const SIDE: i32 = 64;
export const ROW_BYTES: usize = 256;

/** Lane `k` is the sum of the lanes 0 to 3, in this order, of the vector `k`. */
// @ts-ignore: decorator
@inline function laneSums(a: v128, b: v128, c: v128, d: v128): v128 {
  const lowAB = v128.shuffle<f32>(a, b, 0, 4, 1, 5), highAB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const lowCD = v128.shuffle<f32>(c, d, 0, 4, 1, 5), highCD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  const sums = f32x4.add(v128.shuffle<f32>(lowAB, lowCD, 0, 1, 4, 5), v128.shuffle<f32>(lowAB, lowCD, 2, 3, 6, 7));
  return f32x4.add(f32x4.add(sums, v128.shuffle<f32>(highAB, highCD, 0, 1, 4, 5)), v128.shuffle<f32>(highAB, highCD, 2, 3, 6, 7));
}

// @ts-ignore: decorator
@inline export function product(left: usize, right: v128): v128 {
  return f32x4.mul(v128.load(left), right);
}

/** Of two rows: lane `k` of 4 adds the products `k, k + 4, ...`, then the lanes are added in order. */
export function dot(left: usize, right: usize): f32 {
  let sums = product(left, v128.load(right));
  for (let at: usize = 16; at < ROW_BYTES; at += 16) sums = f32x4.add(sums, product(left + at, v128.load(right + at)));
  return f32x4.extract_lane(laneSums(sums, sums, sums, sums), 0);
}

/** A column of `M Q`: the `dot` of each row of M with the column of Q. */
export function multiply(out: usize, matrix: usize, column: usize): void {
  for (const end = out + ROW_BYTES; out < end; out += 16, matrix += 4 * ROW_BYTES) {
    let factor = v128.load(column);
    let a = product(matrix, factor), b = product(matrix + ROW_BYTES, factor);
    let c = product(matrix + 2 * ROW_BYTES, factor), d = product(matrix + 3 * ROW_BYTES, factor);
    for (let at: usize = 16; at < ROW_BYTES; at += 16) {
      factor = v128.load(column + at);
      a = f32x4.add(a, product(matrix + at, factor));
      b = f32x4.add(b, product(matrix + ROW_BYTES + at, factor));
      c = f32x4.add(c, product(matrix + 2 * ROW_BYTES + at, factor));
      d = f32x4.add(d, product(matrix + 3 * ROW_BYTES + at, factor));
    }
    v128.store(out, laneSums(a, b, c, d));
  }
}

// @ts-ignore: decorator
@inline export function put(at: usize, sum: v128, isTaken: bool): void {
  v128.store(at, isTaken ? f32x4.sub(v128.load(at), sum) : sum);
}

/** `out`, a row, is the sum of `count` rows, each times its weight, in order; or, if it is taken, has that taken off. */
// @ts-ignore: decorator
@inline export function combine(out: usize, weights: usize, stride: usize, rows: usize, count: i32, isTaken: bool): void {
  for (const end = out + ROW_BYTES; out < end; out += 128, rows += 128) {
    let at = rows, weightAt = weights;
    let weight = v128.load_splat<f32>(weights);
    let a = product(at, weight), b = product(at + 16, weight), c = product(at + 32, weight), d = product(at + 48, weight);
    let e = product(at + 64, weight), f = product(at + 80, weight), g = product(at + 96, weight), h = product(at + 112, weight);
    for (let row = 1; row < count; row++) {
      at += ROW_BYTES;
      weightAt += stride;
      weight = v128.load_splat<f32>(weightAt);
      a = f32x4.add(a, product(at, weight));
      b = f32x4.add(b, product(at + 16, weight));
      c = f32x4.add(c, product(at + 32, weight));
      d = f32x4.add(d, product(at + 48, weight));
      e = f32x4.add(e, product(at + 64, weight));
      f = f32x4.add(f, product(at + 80, weight));
      g = f32x4.add(g, product(at + 96, weight));
      h = f32x4.add(h, product(at + 112, weight));
    }
    put(out, a, isTaken);
    put(out + 16, b, isTaken);
    put(out + 32, c, isTaken);
    put(out + 48, d, isTaken);
    put(out + 64, e, isTaken);
    put(out + 80, f, isTaken);
    put(out + 96, g, isTaken);
    put(out + 112, h, isTaken);
  }
}

/** A column of `M^T P`: the rows of M, each times the entry of the column of P. */
export function multiplyTransposed(out: usize, matrix: usize, column: usize): void {
  combine(out, column, 4, matrix, SIDE, false);
}
