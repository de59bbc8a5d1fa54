/** The larger magnitude of each lane, as bits, which are those but the sign; what is no number is above all numbers. */
// @ts-ignore: decorator
@inline export function larger(largest: v128, value: v128, magnitude: v128): v128 {
  return i32x4.max_s(largest, v128.and(value, magnitude));
}
