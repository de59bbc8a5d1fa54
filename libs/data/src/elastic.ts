/** A displacement for each pixel of an image, in pixels. */
export interface DisplacementField {
  /** `[height * width]` */
  readonly y: Float64Array;
  readonly x: Float64Array;
}

export interface ElasticGenerator {
  /** Draws a field; it is overwritten by the next call. */
  generate(draw: () => number): DisplacementField;
}

/**
 * Elastic distortion (Simard, Steinkraus, Platt: "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis",
 * ICDAR 2003): each pixel's displacement is drawn uniformly from -1 to 1, the fields are smoothed by a Gaussian of `sigma` pixels (cut off at
 * three, zero beyond the border), then multiplied by `alpha`. 34 and 4 suit MNIST.
 */
export function createElasticGenerator(height: number, width: number, alpha: number, sigma: number): ElasticGenerator {
  const kernel = gaussianKernel(sigma);
  const [paddedRow, paddedColumn] = [width, height].map((length) => new Float64Array(length + 2 * (kernel.length - 1))) as [Float64Array, Float64Array];
  const noise = new Float64Array(height * width);
  const between = new Float64Array(height * width);
  const field = { y: new Float64Array(height * width), x: new Float64Array(height * width) };

  return {
    generate(draw) {
      for (const axis of [field.y, field.x]) {
        for (let pixel = 0; pixel < noise.length; pixel += 1) noise[pixel] = (2 * draw() - 1) * alpha;
        smoothLines(noise, between, height, width, width, 1, kernel, paddedRow);
        smoothLines(between, axis, width, height, 1, width, kernel, paddedColumn);
      }
      return field;
    },
  };
}

/** Weights of the distances 0, 1, …, such that the whole (two-sided) kernel adds up to 1. */
function gaussianKernel(sigma: number): Float64Array {
  const radius = Math.ceil(3 * sigma);
  const kernel = Float64Array.from({ length: radius + 1 }, (_, distance) => Math.exp((-distance * distance) / (2 * sigma * sigma)));
  const total = kernel.reduce((sum, weight, distance) => sum + (distance === 0 ? weight : 2 * weight), 0);
  return kernel.map((weight) => weight / total);
}

/** Convolves each of `numLines` lines of `length` elements, `step` apart, through a line with a margin of zeros on both sides. */
function smoothLines(
  from: Float64Array, to: Float64Array, numLines: number, length: number, lineStep: number, step: number, kernel: Float64Array, padded: Float64Array,
): void {
  const margin = kernel.length - 1;
  padded.fill(0);
  for (let line = 0; line < numLines; line += 1) {
    const start = line * lineStep;
    for (let at = 0; at < length; at += 1) padded[margin + at] = from[start + at * step]!;
    for (let at = 0; at < length; at += 1) {
      const centre = margin + at;
      let sum = kernel[0]! * padded[centre]!;
      for (let distance = 1; distance <= margin; distance += 1) sum += kernel[distance]! * (padded[centre - distance]! + padded[centre + distance]!);
      to[start + at * step] = sum;
    }
  }
}
