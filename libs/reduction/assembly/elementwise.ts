import { add as plus, clamp, div, mul } from './lanes';

// @ts-ignore: decorator
@inline function addAt<T>(into: usize, other: usize, offset: usize): void {
  store<T>(into + offset, plus<T>(load<T>(into + offset), load<T>(other + offset)));
}

/** `into += other`, over `bytes`. */
export function add(into: usize, other: usize, bytes: usize): void {
  let at: usize = 0;
  for (const end = bytes & ~127; at < end; at += 128) {
    addAt<v128>(into, other, at);
    addAt<v128>(into, other, at + 16);
    addAt<v128>(into, other, at + 32);
    addAt<v128>(into, other, at + 48);
    addAt<v128>(into, other, at + 64);
    addAt<v128>(into, other, at + 80);
    addAt<v128>(into, other, at + 96);
    addAt<v128>(into, other, at + 112);
  }
  for (; at < bytes; at += 4) addAt<f32>(into, other, at);
}

/** `into = other`. */
export function copy(into: usize, other: usize, bytes: usize): void {
  memory.copy(into, other, bytes);
}

// @ts-ignore: decorator
@inline function divideAt<T>(at: usize, divisor: T): void {
  store<T>(at, div<T>(load<T>(at), divisor));
}

/** `vector /= divisor`. */
export function divide(vector: usize, bytes: usize, divisor: f32): void {
  const divisors = f32x4.splat(divisor);
  let at = vector;
  for (const end = vector + (bytes & ~31); at < end; at += 32) {
    divideAt<v128>(at, divisors);
    divideAt<v128>(at + 16, divisors);
  }
  for (const end = vector + bytes; at < end; at += 4) divideAt<f32>(at, divisor);
}

// @ts-ignore: decorator
@inline function scaleAt<T>(at: usize, factor: T): void {
  store<T>(at, mul<T>(load<T>(at), factor));
}

/** `vector *= factor`. */
export function scale(vector: usize, bytes: usize, factor: f32): void {
  const factors = f32x4.splat(factor);
  let at = vector;
  for (const end = vector + (bytes & ~63); at < end; at += 64) {
    scaleAt<v128>(at, factors);
    scaleAt<v128>(at + 16, factors);
    scaleAt<v128>(at + 32, factors);
    scaleAt<v128>(at + 48, factors);
  }
  for (const end = vector + bytes; at < end; at += 4) scaleAt<f32>(at, factor);
}

// @ts-ignore: decorator
@inline function clipAt<T>(at: usize, low: T, high: T): void {
  store<T>(at, clamp<T>(load<T>(at), low, high));
}

/** Each element into `[-limit, limit]`. */
export function clipByValue(vector: usize, bytes: usize, limit: f32): void {
  const low = f32x4.splat(-limit), high = f32x4.splat(limit);
  let at = vector;
  for (const end = vector + (bytes & ~63); at < end; at += 64) {
    clipAt<v128>(at, low, high);
    clipAt<v128>(at + 16, low, high);
    clipAt<v128>(at + 32, low, high);
    clipAt<v128>(at + 48, low, high);
  }
  for (const end = vector + bytes; at < end; at += 4) clipAt<f32>(at, -limit, limit);
}
