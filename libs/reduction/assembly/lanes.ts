/**
 * One formula for four lanes (`v128`) and for the last few elements (`f32`): both are IEEE single precision,
 * so an element has the same bits wherever a vector is cut. Relaxed SIMD and fused multiply-add are never used.
 */

// @ts-ignore: decorator
@inline export function add<T>(left: T, right: T): T {
  // @ts-ignore: one branch is compiled
  if (isVector<T>()) return f32x4.add(left, right);
  // @ts-ignore: one branch is compiled
  else return left + right;
}

// @ts-ignore: decorator
@inline export function sub<T>(left: T, right: T): T {
  // @ts-ignore: one branch is compiled
  if (isVector<T>()) return f32x4.sub(left, right);
  // @ts-ignore: one branch is compiled
  else return left - right;
}

// @ts-ignore: decorator
@inline export function mul<T>(left: T, right: T): T {
  // @ts-ignore: one branch is compiled
  if (isVector<T>()) return f32x4.mul(left, right);
  // @ts-ignore: one branch is compiled
  else return left * right;
}

// @ts-ignore: decorator
@inline export function div<T>(left: T, right: T): T {
  // @ts-ignore: one branch is compiled
  if (isVector<T>()) return f32x4.div(left, right);
  // @ts-ignore: one branch is compiled
  else return left / right;
}

// @ts-ignore: decorator
@inline export function sqrt<T>(value: T): T {
  // @ts-ignore: one branch is compiled
  if (isVector<T>()) return f32x4.sqrt(value);
  // @ts-ignore: one branch is compiled
  else return Mathf.sqrt(value);
}

/** `value` within `[low, high]`; a NaN stays. */
// @ts-ignore: decorator
@inline export function clamp<T>(value: T, low: T, high: T): T {
  // @ts-ignore: one branch is compiled
  if (isVector<T>()) return f32x4.pmin(f32x4.pmax(value, low), high);
  // @ts-ignore: one branch is compiled
  else return value < low ? low : high < value ? high : value;
}

/**
 * These bits in every lane, in a way that keeps them in a register: V8 makes a constant anew wherever it is used.
 * `bytes` must be a multiple of 4.
 */
// @ts-ignore: decorator
@inline export function held(bits: i32, bytes: usize): v128 {
  return i32x4.splat(bits ^ <i32>(bytes & 3));
}
