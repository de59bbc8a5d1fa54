import type { ImageShape } from './dataset.ts';

/** Where each pixel of a target image lies in the source image, in source pixels; the first pixel's centre is 0. */
export interface SourceCoordinates {
  /** `[height * width]` of the target. */
  readonly y: Float64Array;
  readonly x: Float64Array;
}

/** Along one axis, for each target position: the two source positions it lies between, and how far from the first. */
interface AxisTaps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly fraction: Float64Array;
}

/** Writes one target image, `table[pixel]` interpolated, to `out` at `outOffset`. */
export interface Resize {
  (images: Uint8Array, imageOffset: number, table: Float64Array, out: Float32Array, outOffset: number): void;
}

/** The coordinate of a target position: pixel centres are matched (TensorFlow's `half_pixel_centers`, PyTorch's `align_corners=False`). */
function sourceCoordinate(position: number, sourceSize: number, targetSize: number): number {
  return ((position + 0.5) * sourceSize) / targetSize - 0.5;
}

export function resizeCoordinates(source: ImageShape, target: ImageShape): SourceCoordinates {
  const numPixels = target.height * target.width;
  const rowOf = (pixel: number): number => Math.floor(pixel / target.width);
  return {
    y: Float64Array.from({ length: numPixels }, (_, pixel) => sourceCoordinate(rowOf(pixel), source.height, target.height)),
    x: Float64Array.from({ length: numPixels }, (_, pixel) => sourceCoordinate(pixel % target.width, source.width, target.width)),
  };
}

/**
 * A bilinear resize, along x then along y; beyond the border counts the nearest pixel. A grey source is repeated in each channel of a
 * target with three. To the same size it gives every pixel exactly.
 */
export function createResize(source: ImageShape, target: ImageShape): Resize {
  const { height, width, channels } = source;
  const rowTaps = axisTaps(height, target.height);
  const columnTaps = axisTaps(width, target.width);
  const lineLength = target.width * channels;
  const stretched = new Float64Array(height * lineLength);

  const stretchRows = (images: Uint8Array, imageOffset: number, table: Float64Array): void => {
    let at = 0;
    for (let row = 0; row < height; row += 1) {
      const rowOffset = imageOffset + row * width * channels;
      for (let column = 0; column < target.width; column += 1) {
        const left = rowOffset + columnTaps.first[column]! * channels;
        const right = rowOffset + columnTaps.second[column]! * channels;
        const fraction = columnTaps.fraction[column]!;
        for (let channel = 0; channel < channels; channel += 1) {
          const a = table[images[left + channel]!]!;
          stretched[at++] = a + (table[images[right + channel]!]! - a) * fraction;
        }
      }
    }
  };

  return (images, imageOffset, table, out, outOffset) => {
    stretchRows(images, imageOffset, table);
    const repeat = target.channels / channels;
    let at = outOffset;
    for (let row = 0; row < target.height; row += 1) {
      const upper = rowTaps.first[row]! * lineLength;
      const lower = rowTaps.second[row]! * lineLength;
      const fraction = rowTaps.fraction[row]!;
      for (let element = 0; element < lineLength; element += 1, at += repeat) {
        const a = stretched[upper + element]!;
        const value = a + (stretched[lower + element]! - a) * fraction;
        for (let copy = 0; copy < repeat; copy += 1) out[at + copy] = value;
      }
    }
  };
}

function axisTaps(sourceSize: number, targetSize: number): AxisTaps {
  const taps = { first: new Int32Array(targetSize), second: new Int32Array(targetSize), fraction: new Float64Array(targetSize) };
  for (let position = 0; position < targetSize; position += 1) {
    const coordinate = Math.min(sourceSize - 1, Math.max(0, sourceCoordinate(position, sourceSize, targetSize)));
    taps.first[position] = Math.floor(coordinate);
    taps.second[position] = Math.min(sourceSize - 1, Math.floor(coordinate) + 1);
    taps.fraction[position] = coordinate - Math.floor(coordinate);
  }
  return taps;
}

/** The same at any coordinates, pixel by pixel. A coordinate that is a whole number gives exactly that pixel. */
export function resample(
  images: Uint8Array, imageOffset: number, source: ImageShape, coordinates: SourceCoordinates, targetChannels: number, table: Float64Array,
  out: Float32Array, outOffset: number,
): void {
  for (let channel = 0; channel < source.channels; channel += 1) {
    resampleChannel(images, imageOffset + channel, source, coordinates, targetChannels, table, out, outOffset + channel);
  }
  if (targetChannels === source.channels) return;
  const end = outOffset + coordinates.y.length * targetChannels;
  for (let at = outOffset; at < end; at += targetChannels) out.fill(out[at]!, at + 1, at + targetChannels);
}

function resampleChannel(
  images: Uint8Array, imageOffset: number, { height, width, channels }: ImageShape, { y: ys, x: xs }: SourceCoordinates, outStep: number,
  table: Float64Array, out: Float32Array, outOffset: number,
): void {
  const bottom = height - 1;
  const right = width - 1;
  for (let pixel = 0; pixel < ys.length; pixel += 1) {
    const y = clamp(ys[pixel]!, bottom);
    const x = clamp(xs[pixel]!, right);
    const top = y | 0;
    const left = x | 0;
    const upper = imageOffset + (top * width + left) * channels;
    const lower = top < bottom ? upper + width * channels : upper;
    const step = left < right ? channels : 0;
    const a = table[images[upper]!]!;
    const c = table[images[lower]!]!;
    const upperValue = a + (table[images[upper + step]!]! - a) * (x - left);
    const lowerValue = c + (table[images[lower + step]!]! - c) * (x - left);
    out[outOffset + pixel * outStep] = upperValue + (lowerValue - upperValue) * (y - top);
  }
}

function clamp(value: number, largest: number): number {
  return value < 0 ? 0 : value > largest ? largest : value;
}
