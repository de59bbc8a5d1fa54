/** What the kernels replace: the same work as plain loops over Float32Array. */

export function addLoop(into: Float32Array, other: Float32Array): void {
  for (let at = 0; at < into.length; at++) into[at] = (into[at] as number) + (other[at] as number);
}

const round = Math.fround;
const [RATE, MEAN_WEIGHT, VARIANCE_DECAY, VARIANCE_WEIGHT, EPSILON] = [round(0.001), round(0.1), round(0.999), round(0.001), round(1e-8)];

/** Adam with bias corrections of a late step, both 1. */
export function adamLoop(parameters: Float32Array, gradient: Float32Array, means: Float32Array, variances: Float32Array): void {
  for (let at = 0; at < parameters.length; at++) {
    const slope = gradient[at] as number;
    const mean = round((means[at] as number) + round(MEAN_WEIGHT * round(slope - (means[at] as number))));
    const variance = round(round(VARIANCE_DECAY * (variances[at] as number)) + round(round(VARIANCE_WEIGHT * slope) * slope));
    means[at] = mean;
    variances[at] = variance;
    parameters[at] = (parameters[at] as number) - round(round(RATE * mean) / round(round(Math.sqrt(variance)) + EPSILON));
  }
}
