import { TURN, add as plus, clamp, div, mul, splat } from './lanes';

// @ts-ignore: decorator
@inline function addAt<T>(into: usize, other: usize, offset: usize): void {
  store<T>(into + offset, plus<T>(load<T>(into + offset), load<T>(other + offset)));
}

/** `into += other`, over `bytes`. */
export function add(into: usize, other: usize, bytes: usize): void {
  let at: usize = 0;
  for (const end = bytes & ~(TURN - 1); at < end; at += TURN) {
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

// @ts-ignore: decorator
@inline function divideAt<T>(at: usize, divisor: f32): void {
  store<T>(at, div<T>(load<T>(at), splat<T>(divisor)));
}

/** `vector /= divisor`. */
export function divide(vector: usize, bytes: usize, divisor: f32): void {
  let at = vector;
  for (const end = vector + (bytes & ~31); at < end; at += 32) {
    divideAt<v128>(at, divisor);
    divideAt<v128>(at + 16, divisor);
  }
  for (const end = vector + bytes; at < end; at += 4) divideAt<f32>(at, divisor);
}

// @ts-ignore: decorator
@inline function scaleAt<T>(at: usize, factor: f32): void {
  store<T>(at, mul<T>(load<T>(at), splat<T>(factor)));
}

/** `vector *= factor`. */
export function scale(vector: usize, bytes: usize, factor: f32): void {
  let at = vector;
  for (const end = vector + (bytes & ~63); at < end; at += 64) {
    scaleAt<v128>(at, factor);
    scaleAt<v128>(at + 16, factor);
    scaleAt<v128>(at + 32, factor);
    scaleAt<v128>(at + 48, factor);
  }
  for (const end = vector + bytes; at < end; at += 4) scaleAt<f32>(at, factor);
}

// @ts-ignore: decorator
@inline function clipAt<T>(at: usize, limit: f32): void {
  store<T>(at, clamp<T>(load<T>(at), splat<T>(-limit), splat<T>(limit)));
}

/** Each element into `[-limit, limit]`. */
export function clipByValue(vector: usize, bytes: usize, limit: f32): void {
  let at = vector;
  for (const end = vector + (bytes & ~63); at < end; at += 64) {
    clipAt<v128>(at, limit);
    clipAt<v128>(at + 16, limit);
    clipAt<v128>(at + 32, limit);
    clipAt<v128>(at + 48, limit);
  }
  for (const end = vector + bytes; at < end; at += 4) clipAt<f32>(at, limit);
}
