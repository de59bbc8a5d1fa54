import { deriveSeed, uniformStream, type AugmentationConfig } from '@lockstep/core';
import type { ImageShape } from './dataset.ts';
import { createElasticGenerator, type DisplacementField } from './elastic.ts';
import type { SourceCoordinates } from './resample.ts';

export interface AugmentationDraw {
  readonly seed: number;
  readonly epoch: number;
}

export interface Augmentation {
  /** The coordinates for one sample, overwritten by the next call: the draw depends on the seed, the epoch and the sample alone. */
  coordinatesOf(draw: AugmentationDraw, sampleIndex: number): SourceCoordinates;
}

interface Affine {
  readonly shiftY: number;
  readonly shiftX: number;
  readonly cosine: number;
  readonly sine: number;
}

/**
 * Shift, rotation and zoom about the image's centre and elastic displacement, composed with `plain` (a resize) into one lookup, so that pixels
 * are interpolated only once. Only IEEE arithmetic and V8's own sine, cosine and exponential (a port of fdlibm) are used: the same
 * bits on any machine that runs the same Node version.
 */
export function createAugmentation(config: AugmentationConfig, source: ImageShape, plain: SourceCoordinates): Augmentation {
  const coordinates = { y: new Float64Array(plain.y.length), x: new Float64Array(plain.x.length) };
  const elastic = config.elastic === null ? null : createElasticGenerator(source.height, source.width, config.elastic.alpha, config.elastic.sigma);
  return {
    coordinatesOf({ seed, epoch }, sampleIndex) {
      const draw = uniformStream(deriveSeed(seed, 'augmentation', epoch, sampleIndex));
      applyAffine(drawAffine(config, draw), source, plain, coordinates);
      if (elastic !== null) displace(elastic.generate(draw), source, coordinates);
      return coordinates;
    },
  };
}

/** The map from target to source: the inverse of what is seen. */
function drawAffine(config: AugmentationConfig, draw: () => number): Affine {
  const symmetric = (largest: number): number => (2 * draw() - 1) * largest;
  const shiftY = symmetric(config.shift);
  const shiftX = symmetric(config.shift);
  const angle = (symmetric(config.rotation) * Math.PI) / 180;
  const factor = 1 / (1 + symmetric(config.zoom));
  return { shiftY, shiftX, cosine: Math.cos(angle) * factor, sine: Math.sin(angle) * factor };
}

function applyAffine({ shiftY, shiftX, cosine, sine }: Affine, source: ImageShape, plain: SourceCoordinates, out: SourceCoordinates): void {
  const centreY = (source.height - 1) / 2;
  const centreX = (source.width - 1) / 2;
  for (let pixel = 0; pixel < plain.y.length; pixel += 1) {
    const y = plain.y[pixel]! - centreY - shiftY;
    const x = plain.x[pixel]! - centreX - shiftX;
    out.y[pixel] = centreY + cosine * y + sine * x;
    out.x[pixel] = centreX + cosine * x - sine * y;
  }
}

/** Adds to each coordinate the displacement there, interpolated between the pixels of the field. */
function displace(field: DisplacementField, { height, width }: ImageShape, coordinates: SourceCoordinates): void {
  for (let pixel = 0; pixel < coordinates.y.length; pixel += 1) {
    const y = Math.min(height - 1, Math.max(0, coordinates.y[pixel]!));
    const x = Math.min(width - 1, Math.max(0, coordinates.x[pixel]!));
    const top = Math.floor(y);
    const left = Math.floor(x);
    const corner = top * width + left;
    const down = top < height - 1 ? width : 0;
    const right = left < width - 1 ? 1 : 0;
    coordinates.y[pixel]! += between(field.y, corner, down, right, y - top, x - left);
    coordinates.x[pixel]! += between(field.x, corner, down, right, y - top, x - left);
  }
}

function between(field: Float64Array, corner: number, down: number, right: number, fractionY: number, fractionX: number): number {
  const upper = field[corner]! + (field[corner + right]! - field[corner]!) * fractionX;
  const lower = field[corner + down]! + (field[corner + down + right]! - field[corner + down]!) * fractionX;
  return upper + (lower - upper) * fractionY;
}
