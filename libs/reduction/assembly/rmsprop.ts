import { add, div, mul, splat, sqrt, sub } from './lanes';

/** The squares' running mean, stored, and the gradient over its root. */
// @ts-ignore: decorator
@inline function normalizedAt<T>(
  parameter: T, gradient: usize, squares: usize, offset: usize, squareDecay: f32, squareWeight: f32, epsilon: f32, l2: f32,
): T {
  const slope = add<T>(load<T>(gradient + offset), mul<T>(splat<T>(l2), parameter));
  const square = add<T>(
    mul<T>(splat<T>(squareDecay), load<T>(squares + offset)), mul<T>(mul<T>(splat<T>(squareWeight), slope), slope),
  );
  store<T>(squares + offset, square);
  return div<T>(slope, add<T>(sqrt<T>(square), splat<T>(epsilon)));
}

// @ts-ignore: decorator
@inline function rmspropAt<T>(
  parameters: usize, gradient: usize, squares: usize, offset: usize,
  rate: f32, squareDecay: f32, squareWeight: f32, epsilon: f32, l2: f32,
): void {
  const parameter = load<T>(parameters + offset);
  const update = normalizedAt<T>(parameter, gradient, squares, offset, squareDecay, squareWeight, epsilon, l2);
  store<T>(parameters + offset, sub<T>(parameter, mul<T>(splat<T>(rate), update)));
}

/** `g' = g + l2 * p; s = squareDecay * s + squareWeight * g' * g'; p -= rate * g' / (sqrt(s) + epsilon)` */
export function rmsprop(
  parameters: usize, gradient: usize, squares: usize, bytes: usize,
  rate: f32, squareDecay: f32, squareWeight: f32, epsilon: f32, l2: f32,
): void {
  let at: usize = 0;
  for (const end = bytes & ~31; at < end; at += 32) {
    rmspropAt<v128>(parameters, gradient, squares, at, rate, squareDecay, squareWeight, epsilon, l2);
    rmspropAt<v128>(parameters, gradient, squares, at + 16, rate, squareDecay, squareWeight, epsilon, l2);
  }
  for (; at < bytes; at += 4) rmspropAt<f32>(parameters, gradient, squares, at, rate, squareDecay, squareWeight, epsilon, l2);
}

// @ts-ignore: decorator
@inline function rmspropMomentumAt<T>(
  parameters: usize, gradient: usize, squares: usize, velocities: usize, offset: usize,
  rate: f32, squareDecay: f32, squareWeight: f32, epsilon: f32, l2: f32, momentum: f32,
): void {
  const parameter = load<T>(parameters + offset);
  const update = normalizedAt<T>(parameter, gradient, squares, offset, squareDecay, squareWeight, epsilon, l2);
  const velocity = add<T>(mul<T>(splat<T>(momentum), load<T>(velocities + offset)), update);
  store<T>(velocities + offset, velocity);
  store<T>(parameters + offset, sub<T>(parameter, mul<T>(splat<T>(rate), velocity)));
}

/** As `rmsprop`, with `u = momentum * u + g' / (sqrt(s) + epsilon); p -= rate * u`. */
export function rmspropMomentum(
  parameters: usize, gradient: usize, squares: usize, velocities: usize, bytes: usize,
  rate: f32, squareDecay: f32, squareWeight: f32, epsilon: f32, l2: f32, momentum: f32,
): void {
  let at: usize = 0;
  for (const end = bytes & ~31; at < end; at += 32) {
    rmspropMomentumAt<v128>(parameters, gradient, squares, velocities, at, rate, squareDecay, squareWeight, epsilon, l2, momentum);
    rmspropMomentumAt<v128>(parameters, gradient, squares, velocities, at + 16, rate, squareDecay, squareWeight, epsilon, l2, momentum);
  }
  for (; at < bytes; at += 4) {
    rmspropMomentumAt<f32>(parameters, gradient, squares, velocities, at, rate, squareDecay, squareWeight, epsilon, l2, momentum);
  }
}
