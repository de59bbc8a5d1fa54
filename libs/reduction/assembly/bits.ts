export const LARGEST_FINITE: i32 = 0x7f7fffff;
export const MAGNITUDE: i32 = 0x7fffffff;

/** The larger magnitude of each lane, as bits: an infinity or a NaN is above `LARGEST_FINITE`. */
// @ts-ignore: decorator
@inline export function larger(largest: v128, value: v128): v128 {
  return i32x4.max_s(largest, v128.and(value, i32x4.splat(MAGNITUDE)));
}

/** `value`, or 0 in the place of an infinity or a NaN. */
// @ts-ignore: decorator
@inline export function finiteOrZero<T>(value: T): T {
  // @ts-ignore: one branch is compiled
  if (isVector<T>()) return v128.andnot(value, i32x4.gt_s(v128.and(value, i32x4.splat(MAGNITUDE)), i32x4.splat(LARGEST_FINITE)));
  // @ts-ignore: one branch is compiled
  else return (reinterpret<i32>(value) & MAGNITUDE) > LARGEST_FINITE ? 0 : value;
}
