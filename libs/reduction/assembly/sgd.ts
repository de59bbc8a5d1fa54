import { add, mul, sub } from './lanes';

// @ts-ignore: decorator
@inline function sgdAt<T>(parameters: usize, gradient: usize, offset: usize, rate: T, l2: T): void {
  const parameter = load<T>(parameters + offset);
  const slope = add<T>(load<T>(gradient + offset), mul<T>(l2, parameter));
  store<T>(parameters + offset, sub<T>(parameter, mul<T>(rate, slope)));
}

/** `p -= rate * (g + l2 * p)` */
export function sgd(parameters: usize, gradient: usize, bytes: usize, rate: f32, l2: f32): void {
  const rates = f32x4.splat(rate), l2s = f32x4.splat(l2);
  let at: usize = 0;
  for (const end = bytes & ~63; at < end; at += 64) {
    sgdAt<v128>(parameters, gradient, at, rates, l2s);
    sgdAt<v128>(parameters, gradient, at + 16, rates, l2s);
    sgdAt<v128>(parameters, gradient, at + 32, rates, l2s);
    sgdAt<v128>(parameters, gradient, at + 48, rates, l2s);
  }
  for (; at < bytes; at += 4) sgdAt<f32>(parameters, gradient, at, rate, l2);
}

// @ts-ignore: decorator
@inline function momentumAt<T>(
  parameters: usize, gradient: usize, velocities: usize, offset: usize, rate: T, l2: T, momentum: T, nesterov: bool,
): void {
  const parameter = load<T>(parameters + offset);
  const slope = add<T>(load<T>(gradient + offset), mul<T>(l2, parameter));
  const velocity = add<T>(mul<T>(momentum, load<T>(velocities + offset)), slope);
  store<T>(velocities + offset, velocity);
  const update = nesterov ? add<T>(slope, mul<T>(momentum, velocity)) : velocity;
  store<T>(parameters + offset, sub<T>(parameter, mul<T>(rate, update)));
}

// @ts-ignore: decorator
@inline function momentumLoop(
  parameters: usize, gradient: usize, velocities: usize, bytes: usize, rate: f32, l2: f32, momentum: f32, nesterov: bool,
): void {
  const rates = f32x4.splat(rate), l2s = f32x4.splat(l2), momentums = f32x4.splat(momentum);
  let at: usize = 0;
  for (const end = bytes & ~63; at < end; at += 64) {
    momentumAt<v128>(parameters, gradient, velocities, at, rates, l2s, momentums, nesterov);
    momentumAt<v128>(parameters, gradient, velocities, at + 16, rates, l2s, momentums, nesterov);
    momentumAt<v128>(parameters, gradient, velocities, at + 32, rates, l2s, momentums, nesterov);
    momentumAt<v128>(parameters, gradient, velocities, at + 48, rates, l2s, momentums, nesterov);
  }
  for (; at < bytes; at += 4) momentumAt<f32>(parameters, gradient, velocities, at, rate, l2, momentum, nesterov);
}

/** `u = momentum * u + g + l2 * p; p -= rate * u` */
export function momentum(parameters: usize, gradient: usize, velocities: usize, bytes: usize, rate: f32, l2: f32, factor: f32): void {
  momentumLoop(parameters, gradient, velocities, bytes, rate, l2, factor, false);
}

/** `g' = g + l2 * p; u = momentum * u + g'; p -= rate * (g' + momentum * u)` */
export function nesterov(parameters: usize, gradient: usize, velocities: usize, bytes: usize, rate: f32, l2: f32, factor: f32): void {
  momentumLoop(parameters, gradient, velocities, bytes, rate, l2, factor, true);
}
