import { add, div, mul, sqrt, sub } from './lanes';

// @ts-ignore: decorator
@inline function adamAt<T>(
  parameters: usize, gradient: usize, means: usize, variances: usize, offset: usize,
  stepSize: T, epsilon: T, meanWeight: T, varianceDecay: T, varianceWeight: T, l2: T, shrink: T,
): void {
  const parameter = mul<T>(load<T>(parameters + offset), shrink);
  const slope = add<T>(load<T>(gradient + offset), mul<T>(l2, parameter));
  const oldMean = load<T>(means + offset);
  const mean = add<T>(oldMean, mul<T>(meanWeight, sub<T>(slope, oldMean)));
  const variance = add<T>(
    mul<T>(varianceDecay, load<T>(variances + offset)), mul<T>(mul<T>(varianceWeight, slope), slope),
  );
  store<T>(means + offset, mean);
  store<T>(variances + offset, variance);
  const update = div<T>(mul<T>(stepSize, mean), add<T>(sqrt<T>(variance), epsilon));
  store<T>(parameters + offset, sub<T>(parameter, update));
}

/**
 * ```
 * p *= shrink;  g' = g + l2 * p
 * m += meanWeight * (g' - m);  v = varianceDecay * v + varianceWeight * g' * g'
 * p -= stepSize * m / (sqrt(v) + epsilon)
 * ```
 */
export function adam(
  parameters: usize, gradient: usize, means: usize, variances: usize, bytes: usize,
  stepSize: f32, epsilon: f32, meanWeight: f32, varianceDecay: f32, varianceWeight: f32, l2: f32, shrink: f32,
): void {
  const stepSizes = f32x4.splat(stepSize), epsilons = f32x4.splat(epsilon), meanWeights = f32x4.splat(meanWeight);
  const varianceDecays = f32x4.splat(varianceDecay), varianceWeights = f32x4.splat(varianceWeight);
  const l2s = f32x4.splat(l2), shrinks = f32x4.splat(shrink);
  let at: usize = 0;
  for (const end = bytes & ~63; at < end; at += 64) {
    adamAt<v128>(parameters, gradient, means, variances, at, stepSizes, epsilons, meanWeights, varianceDecays, varianceWeights, l2s, shrinks);
    adamAt<v128>(parameters, gradient, means, variances, at + 16, stepSizes, epsilons, meanWeights, varianceDecays, varianceWeights, l2s, shrinks);
    adamAt<v128>(parameters, gradient, means, variances, at + 32, stepSizes, epsilons, meanWeights, varianceDecays, varianceWeights, l2s, shrinks);
    adamAt<v128>(parameters, gradient, means, variances, at + 48, stepSizes, epsilons, meanWeights, varianceDecays, varianceWeights, l2s, shrinks);
  }
  for (; at < bytes; at += 4) {
    adamAt<f32>(parameters, gradient, means, variances, at, stepSize, epsilon, meanWeight, varianceDecay, varianceWeight, l2, shrink);
  }
}
