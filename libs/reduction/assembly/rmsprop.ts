import { add, div, mul, sqrt, sub } from './lanes';

/** The squares' running mean, stored, and the gradient over its root. */
// @ts-ignore: decorator
@inline function normalizedAt<T>(
  parameter: T, gradient: usize, squares: usize, offset: usize, squareDecay: T, squareWeight: T, epsilon: T, l2: T,
): T {
  const slope = add<T>(load<T>(gradient + offset), mul<T>(l2, parameter));
  const square = add<T>(
    mul<T>(squareDecay, load<T>(squares + offset)), mul<T>(mul<T>(squareWeight, slope), slope),
  );
  store<T>(squares + offset, square);
  return div<T>(slope, add<T>(sqrt<T>(square), epsilon));
}

// @ts-ignore: decorator
@inline function rmspropAt<T>(
  parameters: usize, gradient: usize, squares: usize, offset: usize,
  rate: T, squareDecay: T, squareWeight: T, epsilon: T, l2: T,
): void {
  const parameter = load<T>(parameters + offset);
  const update = normalizedAt<T>(parameter, gradient, squares, offset, squareDecay, squareWeight, epsilon, l2);
  store<T>(parameters + offset, sub<T>(parameter, mul<T>(rate, update)));
}

/** `g' = g + l2 * p; s = squareDecay * s + squareWeight * g' * g'; p -= rate * g' / (sqrt(s) + epsilon)` */
export function rmsprop(
  parameters: usize, gradient: usize, squares: usize, bytes: usize,
  rate: f32, squareDecay: f32, squareWeight: f32, epsilon: f32, l2: f32,
): void {
  const rates = f32x4.splat(rate), squareDecays = f32x4.splat(squareDecay), squareWeights = f32x4.splat(squareWeight);
  const epsilons = f32x4.splat(epsilon), l2s = f32x4.splat(l2);
  let at: usize = 0;
  for (const end = bytes & ~31; at < end; at += 32) {
    rmspropAt<v128>(parameters, gradient, squares, at, rates, squareDecays, squareWeights, epsilons, l2s);
    rmspropAt<v128>(parameters, gradient, squares, at + 16, rates, squareDecays, squareWeights, epsilons, l2s);
  }
  for (; at < bytes; at += 4) rmspropAt<f32>(parameters, gradient, squares, at, rate, squareDecay, squareWeight, epsilon, l2);
}

// @ts-ignore: decorator
@inline function rmspropMomentumAt<T>(
  parameters: usize, gradient: usize, squares: usize, velocities: usize, offset: usize,
  rate: T, squareDecay: T, squareWeight: T, epsilon: T, l2: T, momentum: T,
): void {
  const parameter = load<T>(parameters + offset);
  const update = normalizedAt<T>(parameter, gradient, squares, offset, squareDecay, squareWeight, epsilon, l2);
  const velocity = add<T>(mul<T>(momentum, load<T>(velocities + offset)), update);
  store<T>(velocities + offset, velocity);
  store<T>(parameters + offset, sub<T>(parameter, mul<T>(rate, velocity)));
}

/** As `rmsprop`, with `u = momentum * u + g' / (sqrt(s) + epsilon); p -= rate * u`. */
export function rmspropMomentum(
  parameters: usize, gradient: usize, squares: usize, velocities: usize, bytes: usize,
  rate: f32, squareDecay: f32, squareWeight: f32, epsilon: f32, l2: f32, momentum: f32,
): void {
  const rates = f32x4.splat(rate), squareDecays = f32x4.splat(squareDecay), squareWeights = f32x4.splat(squareWeight);
  const epsilons = f32x4.splat(epsilon), l2s = f32x4.splat(l2), momentums = f32x4.splat(momentum);
  let at: usize = 0;
  for (const end = bytes & ~31; at < end; at += 32) {
    rmspropMomentumAt<v128>(parameters, gradient, squares, velocities, at, rates, squareDecays, squareWeights, epsilons, l2s, momentums);
    rmspropMomentumAt<v128>(parameters, gradient, squares, velocities, at + 16, rates, squareDecays, squareWeights, epsilons, l2s, momentums);
  }
  for (; at < bytes; at += 4) {
    rmspropMomentumAt<f32>(parameters, gradient, squares, velocities, at, rate, squareDecay, squareWeight, epsilon, l2, momentum);
  }
}
