import { add, div, mul, splat, sqrt, sub } from './lanes';

// @ts-ignore: decorator
@inline function adamAt<T>(
  parameters: usize, gradient: usize, means: usize, variances: usize, offset: usize,
  stepSize: f32, epsilon: f32, meanWeight: f32, varianceDecay: f32, varianceWeight: f32, l2: f32, shrink: f32,
): void {
  const parameter = mul<T>(load<T>(parameters + offset), splat<T>(shrink));
  const slope = add<T>(load<T>(gradient + offset), mul<T>(splat<T>(l2), parameter));
  const oldMean = load<T>(means + offset);
  const mean = add<T>(oldMean, mul<T>(splat<T>(meanWeight), sub<T>(slope, oldMean)));
  const variance = add<T>(
    mul<T>(splat<T>(varianceDecay), load<T>(variances + offset)), mul<T>(mul<T>(splat<T>(varianceWeight), slope), slope),
  );
  store<T>(means + offset, mean);
  store<T>(variances + offset, variance);
  const update = div<T>(mul<T>(splat<T>(stepSize), mean), add<T>(sqrt<T>(variance), splat<T>(epsilon)));
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
  let at: usize = 0;
  for (const end = bytes & ~63; at < end; at += 64) {
    adamAt<v128>(parameters, gradient, means, variances, at, stepSize, epsilon, meanWeight, varianceDecay, varianceWeight, l2, shrink);
    adamAt<v128>(parameters, gradient, means, variances, at + 16, stepSize, epsilon, meanWeight, varianceDecay, varianceWeight, l2, shrink);
    adamAt<v128>(parameters, gradient, means, variances, at + 32, stepSize, epsilon, meanWeight, varianceDecay, varianceWeight, l2, shrink);
    adamAt<v128>(parameters, gradient, means, variances, at + 48, stepSize, epsilon, meanWeight, varianceDecay, varianceWeight, l2, shrink);
  }
  for (; at < bytes; at += 4) {
    adamAt<f32>(parameters, gradient, means, variances, at, stepSize, epsilon, meanWeight, varianceDecay, varianceWeight, l2, shrink);
  }
}
