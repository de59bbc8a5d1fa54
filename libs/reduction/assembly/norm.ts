const LANES: usize = 8;

// @ts-ignore: decorator
@inline function low(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

// @ts-ignore: decorator
@inline function squareOnto(sum: v128, at: usize): v128 {
  const value = low(at);
  return f64x2.add(sum, f64x2.mul(value, value));
}

/**
 * The sum of squares in double precision. Lane `k` of 8 adds the elements `k, k + 8, k + 16, ...` of the whole
 * turns; the lanes are added from 0 to 7, then what remains is added in order.
 */
export function sumOfSquares(vector: usize, bytes: usize): f64 {
  let lanes01 = f64x2.splat(0), lanes23 = f64x2.splat(0), lanes45 = f64x2.splat(0), lanes67 = f64x2.splat(0);
  let at = vector;
  for (const end = vector + (bytes & ~(4 * LANES - 1)); at < end; at += 4 * LANES) {
    lanes01 = squareOnto(lanes01, at);
    lanes23 = squareOnto(lanes23, at + 8);
    lanes45 = squareOnto(lanes45, at + 16);
    lanes67 = squareOnto(lanes67, at + 24);
  }
  let sum = f64x2.extract_lane(lanes01, 0) + f64x2.extract_lane(lanes01, 1);
  sum += f64x2.extract_lane(lanes23, 0);
  sum += f64x2.extract_lane(lanes23, 1);
  sum += f64x2.extract_lane(lanes45, 0);
  sum += f64x2.extract_lane(lanes45, 1);
  sum += f64x2.extract_lane(lanes67, 0);
  sum += f64x2.extract_lane(lanes67, 1);
  for (const end = vector + bytes; at < end; at += 4) {
    const value = <f64>load<f32>(at);
    sum += value * value;
  }
  return sum;
}
