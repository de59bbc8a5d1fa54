/** The larger magnitude of each lane, as bits, which are those but the sign; what is no number is above all numbers. */
// @ts-ignore: decorator
@inline export function larger(largest: v128, value: v128, magnitude: v128): v128 {
  return i32x4.max_s(largest, v128.and(value, magnitude));
}

// @ts-ignore: decorator
@inline export function largestLane(lanes: v128): u32 {
  return max(max(i32x4.extract_lane(lanes, 0), i32x4.extract_lane(lanes, 1)), max(i32x4.extract_lane(lanes, 2), i32x4.extract_lane(lanes, 3)));
}
