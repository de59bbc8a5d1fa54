import type { ImageShape } from './dataset.ts';
import type { PixelScale } from './pixel-scale.ts';

/** Where each pixel of a target image lies in the source image, in source pixels; the first pixel's centre is 0. */
export interface SourceCoordinates {
  /** `[height * width]` of the target. */
  readonly y: Float64Array;
  readonly x: Float64Array;
}

/** The coordinates of a plain resize: pixel centres are matched (half-pixel centres, as TensorFlow's `half_pixel_centers` and PyTorch's `align_corners=False`). */
export function resizeCoordinates(source: ImageShape, target: ImageShape): SourceCoordinates {
  const y = new Float64Array(target.height * target.width);
  const x = new Float64Array(target.height * target.width);
  for (let row = 0; row < target.height; row += 1) {
    for (let column = 0; column < target.width; column += 1) {
      y[row * target.width + column] = ((row + 0.5) * source.height) / target.height - 0.5;
      x[row * target.width + column] = ((column + 0.5) * source.width) / target.width - 0.5;
    }
  }
  return { y, x };
}

/**
 * Writes one target image to `out` at `outOffset`: bilinear, beyond the border the nearest pixel, then scaled. A grey source is repeated
 * in each channel of a target with three. A coordinate that is a whole number gives exactly that pixel.
 */
export function resample(
  images: Uint8Array, imageOffset: number, source: ImageShape, coordinates: SourceCoordinates, targetChannels: number, scale: PixelScale,
  out: Float32Array, outOffset: number,
): void {
  const { height, width, channels } = source;
  const { subtract, divide } = scale;
  const numPixels = coordinates.y.length;
  let at = outOffset;
  for (let pixel = 0; pixel < numPixels; pixel += 1) {
    const y = clamp(coordinates.y[pixel]!, height - 1);
    const x = clamp(coordinates.x[pixel]!, width - 1);
    const top = y | 0;
    const left = x | 0;
    const topLeft = imageOffset + (top * width + left) * channels;
    const rightStep = left + 1 < width ? channels : 0;
    const downStep = top + 1 < height ? width * channels : 0;
    const fractionY = y - top;
    const fractionX = x - left;
    for (let channel = 0; channel < channels; channel += 1) {
      const corner = topLeft + channel;
      const a = images[corner]!;
      const c = images[corner + downStep]!;
      const upper = a + (images[corner + rightStep]! - a) * fractionX;
      const lower = c + (images[corner + downStep + rightStep]! - c) * fractionX;
      out[at++] = (upper + (lower - upper) * fractionY - subtract) / divide;
    }
    for (let channel = channels; channel < targetChannels; channel += 1) {
      out[at] = out[at - 1]!;
      at += 1;
    }
  }
}

function clamp(value: number, largest: number): number {
  return value < 0 ? 0 : value > largest ? largest : value;
}
