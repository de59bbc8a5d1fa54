import { sub } from './lanes';

/** The larger magnitude of each lane, as bits, which are those but the sign; what is no number is above all numbers. */
// @ts-ignore: decorator
@inline export function larger(largest: v128, value: v128, magnitude: v128): v128 {
  return i32x4.max_s(largest, v128.and(value, magnitude));
}

/** `value`, or 0 in the place of an infinity or a NaN. */
// @ts-ignore: decorator
@inline export function finiteOrZero<T>(value: T): T {
  const zero = sub<T>(value, value);
  // @ts-ignore: one branch is compiled
  if (isVector<T>()) return v128.and(value, f32x4.eq(zero, zero));
  // @ts-ignore: one branch is compiled
  else return zero == zero ? value : 0;
}
