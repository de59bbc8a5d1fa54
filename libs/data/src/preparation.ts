import { LockstepError, type DataConfig } from '@lockstep/core';
import { createAugmentation, type AugmentationDraw } from './augmentation.ts';
import { describeShape, imageLengthOf, type Dataset, type ImageShape } from './dataset.ts';
import { createLookUp } from './look-up.ts';
import { pixelScaleOf, tabulate } from './pixel-scale.ts';
import { createResize, resample, resizeCoordinates } from './resample.ts';
import type { Statistics } from './statistics.ts';

/** Turns images into what a model reads. */
export interface Preparation {
  /** One sample as the model sees it. */
  readonly sampleShape: readonly number[];
  readonly sampleLength: number;
  /**
   * Writes the examples at `indices`, one after another, to the front of `out` (`[indices.length, ...sampleShape]`), augmented by the seed, epoch and index of
   * each or, with null, as they are. What a sample becomes never depends on its neighbours.
   */
  prepare(dataset: Dataset, indices: ArrayLike<number>, augment: AugmentationDraw | null, out: Float32Array): void;
}

/** Scale, resize, channels and augmentation as the config says. A reshape to another number of elements is a `config` error. */
export function createPreparation(config: DataConfig, imageShape: ImageShape, statistics: Statistics): Preparation {
  const target = targetShape(config, imageShape);
  const sampleLength = imageLengthOf(target);
  const sampleShape = config.reshape ?? [target.height, target.width, target.channels];
  requireSameLength(sampleShape, target);
  const imageLength = imageLengthOf(imageShape);
  const exact = tabulate(pixelScaleOf(config.scale, statistics));
  const rounded = Float32Array.from(exact);
  const keepsShape = describeShape(target) === describeShape(imageShape);
  const resize = createResize(imageShape, target);
  const augmentation = config.augmentation === null ? null : createAugmentation(config.augmentation, imageShape, resizeCoordinates(imageShape, target));

  const writeAugmented = (images: Uint8Array, index: number, draw: AugmentationDraw, out: Float32Array, outOffset: number): void => {
    const coordinates = augmentation!.coordinatesOf(draw, index);
    resample(images, index * imageLength, imageShape, coordinates, target.channels, exact, out, outOffset);
  };

  return {
    sampleShape,
    sampleLength,
    prepare({ images }, indices, augment, out) {
      requireRoom(out, indices.length, sampleLength);
      const lookUp = createLookUp(images, rounded, out);
      for (let position = 0; position < indices.length; position += 1) {
        const index = indices[position]!;
        const outOffset = position * sampleLength;
        if (augment !== null && augmentation !== null) writeAugmented(images, index, augment, out, outOffset);
        else if (keepsShape) lookUp(index * imageLength, imageLength, outOffset);
        else resize(images, index * imageLength, exact, out, outOffset);
      }
    },
  };
}

function targetShape(config: DataConfig, imageShape: ImageShape): ImageShape {
  const [height, width] = config.resize ?? [imageShape.height, imageShape.width];
  if (config.channels < imageShape.channels) {
    throw new LockstepError('config', `data.channels is ${config.channels}, expected ${imageShape.channels} as the images have`);
  }
  return { height, width, channels: config.channels };
}

function requireSameLength(sampleShape: readonly number[], target: ImageShape): void {
  const elements = sampleShape.reduce((product, size) => product * size, 1);
  if (elements !== imageLengthOf(target)) {
    throw new LockstepError('config', `data.reshape is [${sampleShape.join(', ')}], ${elements} elements, expected ${imageLengthOf(target)} as an image of ${describeShape(target)} has`);
  }
}

function requireRoom(out: Float32Array, numExamples: number, sampleLength: number): void {
  if (out.length < numExamples * sampleLength) {
    throw new RangeError(`out has ${out.length} elements, expected ${numExamples * sampleLength} for ${numExamples} samples of ${sampleLength}`);
  }
}
