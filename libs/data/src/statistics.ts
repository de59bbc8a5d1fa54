import type { Dataset } from './dataset.ts';

/** Of all pixels, divided by 255. */
export interface Statistics {
  readonly mean: number;
  /** The population's standard deviation. */
  readonly deviation: number;
}

/** So many squares of a byte add up to less than 2^31. */
const CHUNK = 32768;

/** Exact up to the last division and root: the sums are integers. */
export function computeStatistics(dataset: Dataset): Statistics {
  const { images } = dataset;
  let sum = 0;
  let squares = 0;
  for (let from = 0; from < images.length; from += CHUNK) {
    const to = Math.min(from + CHUNK, images.length);
    let chunkSum = 0;
    let chunkSquares = 0;
    for (let at = from; at < to; at += 1) {
      const pixel = images[at]!;
      chunkSum = (chunkSum + pixel) | 0;
      chunkSquares = (chunkSquares + Math.imul(pixel, pixel)) | 0;
    }
    sum += chunkSum;
    squares += chunkSquares;
  }
  const count = images.length;
  const scaledVariance = BigInt(count) * BigInt(squares) - BigInt(sum) * BigInt(sum);
  return { mean: sum / count / 255, deviation: Math.sqrt(Number(scaledVariance)) / count / 255 };
}
